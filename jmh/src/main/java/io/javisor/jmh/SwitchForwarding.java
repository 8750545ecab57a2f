package io.javisor.jmh;

import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Frames through a switch whose ports each send to the next, in turns of 64: copied in, guarded, learnt, looked up, given to the
 * station, which counts it. One operation is one frame.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // since each JVM compiles a little differently
@Warmup(iterations = 10, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 20, time = 150, timeUnit = TimeUnit.MILLISECONDS) // short: a pair shares the machine's mood
public class SwitchForwarding {
    private static final int BATCH = 64;
    private static final int TYPE = 0x88B5; // for local experiments

    /** The smallest frames, two ports. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long bytes64Ports2(Two of) {
        return of.batch(64);
    }

    /** The smallest frames, 16 ports. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long bytes64Ports16(Sixteen of) {
        return of.batch(64);
    }

    /** The smallest frames, 256 ports. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long bytes64Ports256(Many of) {
        return of.batch(64);
    }

    /** Frames that fill Ethernet's, two ports. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long bytes1500Ports2(Two of) {
        return of.batch(1500);
    }

    /** Frames that fill Ethernet's, 16 ports. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long bytes1500Ports16(Sixteen of) {
        return of.batch(1500);
    }

    /** Frames that fill Ethernet's, 256 ports. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long bytes1500Ports256(Many of) {
        return of.batch(1500);
    }

    /** Two ports. */
    @State(Scope.Thread)
    public static class Two extends Ports {
        /** A switch that knows everybody. */
        public Two() {
            super(2);
        }
    }

    /** 16 ports. */
    @State(Scope.Thread)
    public static class Sixteen extends Ports {
        /** A switch that knows everybody. */
        public Sixteen() {
            super(16);
        }
    }

    /** 256 ports. */
    @State(Scope.Thread)
    public static class Many extends Ports {
        /** A switch that knows everybody. */
        public Many() {
            super(256);
        }
    }

    /** A switch, its ports, and a frame of each's to the next. */
    abstract static class Ports {
        private final VirtualSwitch net = new VirtualSwitch("benchmark");
        private final SwitchPort[] ports;
        private final Frame[] frames;
        private final Frame sent = new Frame();
        private int next;
        private long arrived;

        Ports(int count) {
            ports = new SwitchPort[count];
            frames = new Frame[count];
            for (int i = 0; i < count; i++) {
                ports[i] = net.connect("port " + i, PortSettings.guest(mac(i)), frame -> arrived++);
                frames[i] = new Frame(1514);
                frames[i].begin(1514);
                frames[i].putMac(0, MacAddress.BROADCAST.value());
                frames[i].putMac(6, mac(i).value());
                frames[i].putShort(12, TYPE);
                frames[i].parse();
            }
            for (int i = 0; i < count; i++) {
                ports[i].send(frames[i]);
                frames[i].putMac(0, mac((i + 1) % count).value());
            }
        }

        private static MacAddress mac(int port) {
            return new MacAddress(0x0200_0000_0000L | port);
        }

        long batch(int bytes) {
            long before = arrived;
            SwitchPort from = ports[next];
            Frame frame = frames[next];
            frame.setLength(bytes);
            for (int i = 0; i < BATCH; i++) {
                sent.copyOf(frame);
                from.send(sent);
            }
            next = next + 1 == ports.length ? 0 : next + 1;
            if (arrived - before != BATCH) {
                throw new IllegalStateException((arrived - before) + " of " + BATCH + " frames have arrived");
            }
            return arrived;
        }
    }
}
