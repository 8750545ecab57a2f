package io.javisor.memory.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Machines that run a recorded workload again and again: begun at times of their own, with pauses of their own between, and
 * sized so that the trace's peak is the machine's {@linkplain Nature#high high}. When and how often is synthetic; the shape of
 * each run is the recorded one, second by second.
 */
public final class RecordedDemand implements Demand {
    private static final int SHORTEST_PAUSE = 300;
    private static final int LONGEST_PAUSE = 3_600;

    private final DemandTrace trace;
    private final double peak;

    /** Machines that run what was recorded. */
    public RecordedDemand(DemandTrace trace) {
        this.trace = trace;
        peak = Math.max(1, trace.peak());
    }

    /** The traces that are part of this module; each says what it was recorded from. */
    public static List<RecordedDemand> all() {
        return List.of("build", "sort", "compress").stream()
                .map(name -> new RecordedDemand(resource(name)))
                .toList();
    }

    private static DemandTrace resource(String name) {
        String file = name + ".trace";
        try (InputStream in = RecordedDemand.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException(file + " is missing from the module");
            }
            return DemandTrace.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What was recorded. */
    public DemandTrace trace() {
        return trace;
    }

    @Override
    public String source() {
        return "recorded: " + trace.workload();
    }

    @Override
    public double demand(int second, Nature machine) {
        int pause = SHORTEST_PAUSE + (int) (machine.random(0) * (LONGEST_PAUSE - SHORTEST_PAUSE));
        int turn = trace.seconds() + pause;
        int at = (second + (int) (machine.random(1) * turn)) % turn;
        double part = at >= trace.seconds() ? 0 : trace.samples().get(at / trace.period()) / peak;
        return machine.low() + (machine.high() - machine.low()) * part;
    }
}
