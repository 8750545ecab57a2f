package io.javisor.networking.uplink;

import io.javisor.linux.Errno;
import io.javisor.linux.FrameDevice;
import io.javisor.linux.HostInterface;
import io.javisor.linux.LinuxException;
import io.javisor.linux.PacketSocket;
import io.javisor.linux.TapDevice;
import io.javisor.networking.frame.Frame;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.Station;
import io.javisor.networking.vswitch.SwitchPort;
import io.javisor.networking.vswitch.VirtualSwitch;
import io.javisor.partition.HypervisorException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * An interface of the host's on a port of a switch. Checksums and large packets go over it as they are, both ways: the host's
 * kernel finishes what leaves it. With several queues, packets of one flow take the same one, and stay in their order. Addresses,
 * bridges and routes are the host's administrator's. Safe from any thread.
 */
public final class HostUplink implements Station, AutoCloseable {
    /** Queues at most, so that threads stay few. */
    public static final int MOST_QUEUES = 16;

    private final UplinkQueue[] queues;
    private final SwitchPort port;
    private final LongAdder lost = new LongAdder();
    private final Runnable atEnd;

    private HostUplink(
            VirtualSwitch on, String name, List<FrameDevice> devices, PortSettings settings, Runnable atEnd) {
        this.atEnd = atEnd;
        queues = new UplinkQueue[devices.size()];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new UplinkQueue(devices.get(i), i, this::arrived, lost);
        }
        try {
            port = on.connect(name, settings, this);
        } catch (RuntimeException | Error e) {
            for (UplinkQueue queue : queues) {
                queue.close();
            }
            throw e;
        }
        for (UplinkQueue queue : queues) {
            queue.start();
        }
    }

    /**
     * Attaches a TAP interface; it is made if it is not there, and lives then as long as this.
     *
     * @param name of the interface
     * @param queues 1 to {@link #MOST_QUEUES}; more than one only if it is made, or was made for several
     * @param settings of its port
     * @throws HypervisorException with code {@code tap} if the host refuses
     */
    public static HostUplink tap(VirtualSwitch on, String name, int queues, PortSettings settings) {
        String several = queues > 1 ? " multi_queue" : "";
        List<FrameDevice> devices = opened(
                "tap",
                "attach to the TAP interface " + name + (queues > 1 ? " with " + queues + " queues" : ""),
                "have it made for this user: ip tuntap add dev " + name + " mode tap" + several
                        + " user $USER; ip link set " + name + " up",
                queues,
                () -> queues > 1 ? TapDevice.openQueue(name) : oneQueue(name));
        return new HostUplink(on, "tap " + name, devices, settings, () -> {});
    }

    private static TapDevice oneQueue(String name) {
        try {
            return TapDevice.open(name);
        } catch (LinuxException e) {
            if (e.errno() != Errno.EINVAL) {
                throw e;
            }
            return TapDevice.openQueue(name); // it was made for several
        }
    }

    /**
     * Attaches a macvtap interface, which gets only what is for its own MAC address, and for groups: that is the guest's.
     *
     * @param which is there, or is made, which needs CAP_NET_ADMIN, and is gone then when this is closed
     * @param queues 1 to {@link #MOST_QUEUES}
     * @param guest the address of the one guest behind it; an interface that is there is given it if it has another
     * @param settings of its port
     * @throws HypervisorException with code {@code macvtap} if the host refuses
     */
    public static HostUplink macvtap(
            VirtualSwitch on, Macvtap which, int queues, MacAddress guest, PortSettings settings) {
        String name = which.name();
        String lower = which.lower();
        String mode = which.mode().name().toLowerCase(java.util.Locale.ROOT);
        String what = lower == null ? "attach to the macvtap interface " + name : "make " + name + " on " + lower;
        String remedy = "have it made: ip link add link " + (lower == null ? "eth0" : lower) + " name " + name
                + " address " + guest + " type macvtap mode " + mode + "; ip link set " + name
                + " up; chown $USER /dev/tap$(cat /sys/class/net/" + name + "/ifindex)";
        Runnable removal = () -> {};
        try {
            if (lower != null) {
                HostInterface.makeMacvtap(name, lower, which.mode().number(), guest.value());
                removal = () -> remove(name);
            } else if (HostInterface.mac(name) != guest.value()) {
                HostInterface.setMac(name, guest.value());
            }
            List<FrameDevice> devices = opened("macvtap", what, remedy, queues, () -> TapDevice.openMacvtap(name));
            return new HostUplink(on, "macvtap " + name, devices, settings, removal);
        } catch (LinuxException e) {
            removal.run();
            throw refused("macvtap", what, remedy, e);
        } catch (RuntimeException | Error e) {
            removal.run();
            throw e;
        }
    }

    /**
     * The MAC address of an interface of the host's.
     *
     * @throws HypervisorException with code {@code interface} if there is none of the name, or it is no Ethernet
     */
    public static MacAddress mac(String name) {
        try {
            return new MacAddress(HostInterface.mac(name));
        } catch (LinuxException e) {
            throw refused("interface", "find the Ethernet interface " + name, "see which there are: ip link", e);
        }
    }

    private static void remove(String name) {
        try {
            HostInterface.remove(name);
        } catch (LinuxException e) {
            // Somebody has removed it, or its network namespace has ended.
            return;
        }
    }

    /**
     * Joins the network that an interface of the host's is on, beside the host itself: the two do not see each other. Needs
     * CAP_NET_RAW.
     *
     * @param name of the interface
     * @param settings of its port
     * @throws HypervisorException with code {@code packet-socket} if the host refuses
     */
    public static HostUplink packet(VirtualSwitch on, String name, PortSettings settings) {
        List<FrameDevice> devices = opened(
                "packet-socket",
                "join the network of the interface " + name,
                "name an Ethernet interface that is there (ip link), and run with CAP_NET_RAW (setcap, or as root)",
                1,
                () -> PacketSocket.open(name));
        return new HostUplink(on, "packets of " + name, devices, settings, () -> {});
    }

    private static List<FrameDevice> opened(
            String code, String what, String remedy, int queues, Supplier<FrameDevice> open) {
        if (queues < 1 || queues > MOST_QUEUES) {
            throw new IllegalArgumentException(queues + " queues; 1 to " + MOST_QUEUES + " are possible");
        }
        var devices = new ArrayList<FrameDevice>();
        try {
            for (int i = 0; i < queues; i++) {
                devices.add(open.get());
            }
            return devices;
        } catch (LinuxException e) {
            devices.forEach(FrameDevice::close);
            throw refused(code, what, remedy, e);
        }
    }

    private static HypervisorException refused(String code, String what, String remedy, LinuxException e) {
        return new HypervisorException(code, "can't " + what + ": " + e.getMessage(), e.call(), e.errno(), remedy, e);
    }

    /** Its port. */
    public SwitchPort port() {
        return port;
    }

    /** Its queues. */
    public int queues() {
        return queues.length;
    }

    /** Frames that the interface did not take, or that came from it and can't be used. */
    public long framesLost() {
        return lost.sum();
    }

    @Override
    public void receive(Frame frame) {
        queues[queues.length == 1 ? 0 : Math.floorMod(flow(frame), queues.length)].write(frame);
    }

    /** The same for all packets of a flow, both ways. */
    private static int flow(Frame frame) {
        long hash;
        if (frame.protocol() == 0) {
            hash = frame.source() + frame.destination();
        } else if (frame.etherType() == Frame.IPV4) {
            hash = (long) frame.getInt(Frame.HEADER + 12) + frame.getInt(Frame.HEADER + 16);
        } else {
            hash = frame.getLong(Frame.HEADER + 8)
                    + frame.getLong(Frame.HEADER + 16)
                    + frame.getLong(Frame.HEADER + 24)
                    + frame.getLong(Frame.HEADER + 32);
        }
        if (!frame.isFragment()) {
            hash += frame.sourcePort() + frame.destinationPort();
        }
        hash *= 0x9E37_79B9_7F4A_7C15L; // spreads what differs in low bits only
        return (int) (hash >>> 33);
    }

    @Override
    public boolean takesLarge(int etherType) {
        return true;
    }

    @Override
    public boolean takesOpenChecksums() {
        return true;
    }

    private void arrived(Frame frame) {
        port.send(frame);
    }

    /** Lets go of the interface, and waits for the threads to end. Idempotent. */
    @Override
    public void close() {
        port.close();
        for (UplinkQueue queue : queues) {
            queue.close();
        }
        atEnd.run();
    }
}
