package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_HYPERV_CONN_ID_MASK;
import static io.javisor.kvm.abi.Constants.KVM_HYPERV_EVENTFD_DEASSIGN;
import static io.javisor.kvm.abi.Constants.KVM_IOEVENTFD_FLAG_DATAMATCH;
import static io.javisor.kvm.abi.Constants.KVM_IOEVENTFD_FLAG_DEASSIGN;
import static io.javisor.kvm.abi.Constants.KVM_IOEVENTFD_FLAG_PIO;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.IrqAbi;
import io.javisor.linux.EventFd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Guest writes that the kernel turns into signals or collects, without an exit to userspace; safe from any thread. What is
 * attached stays attached until it is detached with the same values, or the VM is closed.
 */
public final class VmDoorbells {
    private final KvmDescriptor fd;

    VmDoorbells(KvmDescriptor fd) {
        this.fd = fd;
    }

    /**
     * Where a doorbell is (KVM_IOEVENTFD).
     *
     * @param port whether the address is an I/O port
     * @param address port number or guest-physical address
     * @param length bytes of the write that rings it: 1, 2, 4 or 8; 0 for any
     * @param match only this value rings it; null for any
     */
    public record Place(
            boolean port,
            long address,
            int length,
            @Nullable Long match) {
        /** Writes of this length to a port. */
        public static Place port(int number, int length) {
            return new Place(true, number, length, null);
        }

        /** Writes of this length to an address. */
        public static Place mmio(long address, int length) {
            return new Place(false, address, length, null);
        }

        /** The same place, rung by this value only. */
        public Place matching(long value) {
            return new Place(port, address, length, value);
        }
    }

    /** Signals an event when the guest writes a place, instead of an exit. */
    public void attach(EventFd event, Place place) {
        ioeventfd(event, place, 0);
    }

    /** Undoes {@link #attach(EventFd, Place)}. */
    public void detach(EventFd event, Place place) {
        ioeventfd(event, place, KVM_IOEVENTFD_FLAG_DEASSIGN);
    }

    private void ioeventfd(EventFd event, Place place, int flag) {
        int number = event.descriptor().acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(IrqAbi.IOEVENTFD);
            Long match = place.match;
            struct.set(JAVA_LONG, offset(IrqAbi.IOEVENTFD, "datamatch"), match == null ? 0 : match);
            struct.set(JAVA_LONG, offset(IrqAbi.IOEVENTFD, "addr"), place.address);
            struct.set(JAVA_INT, offset(IrqAbi.IOEVENTFD, "len"), place.length);
            struct.set(JAVA_INT, offset(IrqAbi.IOEVENTFD, "fd"), number);
            struct.set(
                    JAVA_INT,
                    offset(IrqAbi.IOEVENTFD, "flags"),
                    flag
                            | (place.port ? KVM_IOEVENTFD_FLAG_PIO : 0)
                            | (match == null ? 0 : KVM_IOEVENTFD_FLAG_DATAMATCH));
            fd.call(Ioctl.KVM_IOEVENTFD, struct, place + (flag == KVM_IOEVENTFD_FLAG_DEASSIGN ? ", detach" : ""));
        } finally {
            event.descriptor().release();
        }
    }

    /**
     * Signals an event when the guest signals a Hyper-V connection, without an exit (KVM_HYPERV_EVENTFD).
     *
     * @param connection the connection ID, 24 bits
     */
    public void attachConnection(EventFd event, int connection) {
        connection(event, connection, 0);
    }

    /** Undoes {@link #attachConnection}. */
    public void detachConnection(EventFd event, int connection) {
        connection(event, connection, KVM_HYPERV_EVENTFD_DEASSIGN);
    }

    private void connection(EventFd event, int connection, int flags) {
        if ((connection & ~KVM_HYPERV_CONN_ID_MASK) != 0) {
            throw new IllegalArgumentException(
                    "connection ID 0x" + Integer.toHexString(connection) + " has over 24 bits");
        }
        int number = event.descriptor().acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(IrqAbi.HYPERV_EVENTFD);
            struct.set(JAVA_INT, offset(IrqAbi.HYPERV_EVENTFD, "conn_id"), connection);
            struct.set(JAVA_INT, offset(IrqAbi.HYPERV_EVENTFD, "fd"), number);
            struct.set(JAVA_INT, offset(IrqAbi.HYPERV_EVENTFD, "flags"), flags);
            fd.call(
                    Ioctl.KVM_HYPERV_EVENTFD,
                    struct,
                    "connection 0x" + Integer.toHexString(connection) + ", flags " + flags);
        } finally {
            event.descriptor().release();
        }
    }

    /**
     * Collects guest writes to a range in a ring instead of exiting for each; {@link Vcpu#coalescedWrites()} reads the ring.
     *
     * @param port whether the range is of I/O ports (KVM_CAP_COALESCED_PIO)
     * @param address first port number or guest-physical address
     * @param size ports or bytes
     */
    public void coalesce(boolean port, long address, int size) {
        zone(Ioctl.KVM_REGISTER_COALESCED_MMIO, port, address, size);
    }

    /** Undoes {@link #coalesce} for all zones inside the range. */
    public void uncoalesce(boolean port, long address, int size) {
        zone(Ioctl.KVM_UNREGISTER_COALESCED_MMIO, port, address, size);
    }

    private void zone(Ioctl ioctl, boolean port, long address, int size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(IrqAbi.COALESCED_ZONE);
            struct.set(JAVA_LONG, offset(IrqAbi.COALESCED_ZONE, "addr"), address);
            struct.set(JAVA_INT, offset(IrqAbi.COALESCED_ZONE, "size"), size);
            struct.set(JAVA_INT, offset(IrqAbi.COALESCED_ZONE, "pio"), port ? 1 : 0);
            fd.call(ioctl, struct, "0x" + Long.toHexString(address) + " + " + size + (port ? ", ports" : ""));
        }
    }
}
