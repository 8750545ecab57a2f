package io.javisor.jmh;

import io.javisor.jmh.Pairs.Measure;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the ratios are to be, at most; an aim is met only if the upper bound of the confidence interval is below it. */
final class Aims {
    private static final double TYPED_EXIT = 1.05;
    private static final double DEVICE_EXIT = 1.10;
    private static final double RESTORE = 1.2;
    /** At least 0.9 times as many packets a second. */
    private static final double RING = 1 / 0.9;
    /** At least 0.9 times as many requests a second as fio. */
    private static final double REQUESTS = 1 / 0.9;
    /** At least 0.85 times as many as to a raw file. */
    private static final double VHDX = 1 / 0.85;
    /** At least 1.5 times as many as qemu-img. */
    private static final double SEQUENTIAL = 1 / 1.5;

    /** At most 5 % more than a SCSI controller takes. */
    private static final double FIBRE_CHANNEL = 1.05;

    private static final Map<String, Double> OF_CLASS = Map.of(
            "FibreChannelRequests",
            FIBRE_CHANNEL,
            "TypedExit",
            TYPED_EXIT,
            "DeviceExit",
            DEVICE_EXIT,
            "RingPackets",
            RING,
            "SwitchForwarding",
            1.0,
            "VhdxRequests",
            VHDX,
            "VhdxSequential",
            SEQUENTIAL);
    private static final Map<String, Double> OF_METHOD = Map.of(
            "Life.restore",
            RESTORE,
            "ScsiRequests.randomReadsDepth32",
            REQUESTS,
            "ScsiRequests.randomWritesDepth32",
            REQUESTS);
    private static final Set<String> SOMEBODY_WAITS =
            Set.of("Life", "Signals", "ScsiRequests", "FibreChannelRequests", "VhdxRequests", "VhdxSequential");

    private Aims() {}

    /** Which time counts: what somebody waits for where a machine's life, a signal or a disk is concerned, else what processors do. */
    static Measure measure(String benchmark) {
        return SOMEBODY_WAITS.contains(benchmark.substring(0, benchmark.indexOf('.')))
                ? Measure.ELAPSED
                : Measure.PROCESSOR;
    }

    static Optional<Double> of(String benchmark) {
        Double aim = OF_METHOD.get(benchmark);
        return Optional.ofNullable(aim != null ? aim : OF_CLASS.get(benchmark.substring(0, benchmark.indexOf('.'))));
    }
}
