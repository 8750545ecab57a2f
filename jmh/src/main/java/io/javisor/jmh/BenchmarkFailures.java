package io.javisor.jmh;

import io.javisor.kvm.partition.PartitionListener;
import io.javisor.partition.HypervisorException;
import org.jspecify.annotations.Nullable;

/** Ends the benchmark's JVM with what happened: its thread waits for a guest that is no more. */
final class BenchmarkFailures implements PartitionListener {
    @Override
    public void tripleFault(int vcpu, String registers) {
        end("triple fault: " + registers);
    }

    @Override
    public void crashed(int vcpu, long[] parameters, String message) {
        end("crash: " + message);
    }

    @Override
    public void failed(int vcpu, HypervisorException error) {
        end(error.getMessage());
    }

    private static void end(@Nullable String why) {
        System.err.println("the benchmark's guest failed: " + why);
        Runtime.getRuntime().halt(1);
    }
}
