package io.javisor.jmh;

import io.javisor.kvm.Exit;
import io.javisor.kvm.Vcpu;

/**
 * What runs a guest and does nothing besides: the vCPU and the guest of a {@link BenchmarkPartition} whose only device is called
 * straight away, without counters, ranges, events or a gate.
 */
final class PlainLoop implements AutoCloseable {
    private static final long REGISTERS = 0x3000_0000;

    private final PlainGuest guest;
    private final Vcpu vcpu;
    private final CountingDevice device = new CountingDevice();
    private final Thread thread;
    private volatile boolean closed;

    PlainLoop(byte[] code) {
        guest = new PlainGuest(code, REGISTERS);
        vcpu = guest.vcpu();
        thread = Thread.ofPlatform().daemon().name("plain vcpu0").start(this::loop);
        device.awaitBatch();
    }

    CountingDevice device() {
        return device;
    }

    private void loop() {
        while (!closed) {
            switch (vcpu.run()) {
                case Exit.IoOut out -> device.write(out.port(), out.size(), out.value(0));
                case Exit.IoIn in -> in.set(0, device.read(in.port(), in.size()));
                case Exit.MmioWrite write -> device.write(write.address(), write.length(), write.value());
                case Exit.MmioRead read -> read.set(device.read(read.address(), read.length()));
                case Exit.Interrupted _ -> {}
                case Exit other -> throw vcpu.dump().error(other);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        device.end();
        vcpu.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        guest.close();
    }
}
