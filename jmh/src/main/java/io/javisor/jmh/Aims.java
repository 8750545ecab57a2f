package io.javisor.jmh;

import io.javisor.jmh.Pairs.Measure;
import java.util.Map;
import java.util.Optional;

/** What the ratios are to be, at most; an aim is met only if the upper bound of the confidence interval is below it. */
final class Aims {
    private static final double TYPED_EXIT = 1.05;
    private static final double DEVICE_EXIT = 1.10;
    private static final double RESTORE = 1.2;
    /** At least 0.9 times as many packets a second. */
    private static final double RING = 1 / 0.9;

    private static final Map<String, Double> OF_CLASS =
            Map.of("TypedExit", TYPED_EXIT, "DeviceExit", DEVICE_EXIT, "RingPackets", RING, "SwitchForwarding", 1.0);
    private static final Map<String, Double> OF_METHOD = Map.of("Life.restore", RESTORE);

    private Aims() {}

    /** Which time counts: what somebody waits for where a machine's life or a signal is concerned, else what processors do. */
    static Measure measure(String benchmark) {
        return benchmark.startsWith("Life.") || benchmark.startsWith("Signals.") ? Measure.ELAPSED : Measure.PROCESSOR;
    }

    static Optional<Double> of(String benchmark) {
        Double aim = OF_METHOD.get(benchmark);
        return Optional.ofNullable(aim != null ? aim : OF_CLASS.get(benchmark.substring(0, benchmark.indexOf('.'))));
    }
}
