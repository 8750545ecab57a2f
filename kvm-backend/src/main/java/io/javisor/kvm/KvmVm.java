package io.javisor.kvm;

import static io.javisor.kvm.abi.Constants.KVM_BUS_LOCK_DETECTION_EXIT;
import static io.javisor.kvm.abi.Constants.KVM_MEM_GUEST_MEMFD;
import static io.javisor.kvm.abi.Constants.KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
import static io.javisor.kvm.abi.Constants.KVM_X2APIC_API_USE_32BIT_IDS;
import static io.javisor.kvm.abi.Constants.KVM_X86_NOTIFY_VMEXIT_ENABLED;
import static io.javisor.kvm.abi.Constants.KVM_X86_NOTIFY_VMEXIT_USER;
import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.MemoryAbi;
import io.javisor.kvm.abi.SystemAbi;
import io.javisor.linux.Descriptor;
import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import io.javisor.linux.MappingGroup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeMap;

/**
 * One VM: memory slots, vCPUs and what they share. Safe from any thread. Closing it removes its memory slots, so that their
 * memory can be unmapped; vCPUs are closed by whoever made them, before it.
 */
public final class KvmVm implements AutoCloseable {
    private static final long SLOT = offset(MemoryAbi.REGION, "slot");
    private static final long FLAGS = offset(MemoryAbi.REGION, "flags");
    private static final long ADDRESS = offset(MemoryAbi.REGION, "guest_phys_addr");
    private static final long SIZE = offset(MemoryAbi.REGION, "memory_size");
    private static final long HOST = offset(MemoryAbi.REGION, "userspace_addr");
    private static final long CAP = offset(SystemAbi.ENABLE_CAP, "cap");
    private static final long CAP_ARGS = offset(SystemAbi.ENABLE_CAP, "args");

    private final Kvm kvm;
    private final KvmDescriptor fd;
    private final int runSize;
    private final VmInterrupts interrupts;
    private final VmDoorbells doorbells;
    private final VmDirtyLog dirtyLog;
    // By slot. They keep the addresses that KVM has from being used for something else.
    private final TreeMap<Integer, MemorySegment> slots = new TreeMap<>();
    // What its vCPUs share with the kernel.
    private final MappingGroup mappings = new MappingGroup();
    private int vcpus; // that are open
    private long dirtyRingBytes;
    private boolean closed;

    KvmVm(Kvm kvm, KvmDescriptor fd, int runSize) {
        this.kvm = kvm;
        this.fd = fd;
        this.runSize = runSize;
        this.interrupts = new VmInterrupts(fd);
        this.doorbells = new VmDoorbells(fd);
        this.dirtyLog = new VmDirtyLog(this, fd);
    }

    /** The KVM that it is of. */
    public Kvm kvm() {
        return kvm;
    }

    /** Interrupt controllers, lines, routes, messages. */
    public VmInterrupts interrupts() {
        return interrupts;
    }

    /** Guest writes that become signals or are collected. */
    public VmDoorbells doorbells() {
        return doorbells;
    }

    /** Which pages the guest has written. */
    public VmDirtyLog dirtyLog() {
        return dirtyLog;
    }

    /** What this VM can do, which may be less than what the host can; values as in {@link Kvm#check}. */
    public int check(Capability capability) {
        return fd.call(Ioctl.KVM_CHECK_EXTENSION, capability.number());
    }

    /** Whether this VM can. */
    public boolean has(Capability capability) {
        return check(capability) > 0;
    }

    /** Refuses, with the capability's name, if this VM cannot. */
    void require(Capability capability, String what) {
        if (!has(capability)) {
            throw KvmException.lacks(capability, what);
        }
    }

    /**
     * Turns a capability of the VM on (KVM_ENABLE_CAP).
     *
     * @param args up to four, as Documentation/virt/kvm/api.rst says for the capability
     */
    public void enable(Capability capability, long... args) {
        enable(fd, capability, args);
    }

    static void enable(KvmDescriptor fd, Capability capability, long... args) {
        if (args.length > 4) {
            throw new IllegalArgumentException(args.length + " arguments, KVM_ENABLE_CAP takes 4");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(SystemAbi.ENABLE_CAP);
            struct.set(JAVA_INT, CAP, capability.number());
            for (int i = 0; i < args.length; i++) {
                struct.set(JAVA_LONG, CAP_ARGS + 8L * i, args[i]);
            }
            fd.call(Ioctl.KVM_ENABLE_CAP, struct, capability.kernelName() + ", " + java.util.Arrays.toString(args));
        }
    }

    /**
     * Puts host memory into a slot, or changes the flags or address of the slot's memory.
     *
     * <p>The guest reaches the memory past all checks of this process: it must stay mapped until the slot is removed or the VM
     * closed. {@link #mapMemory} takes care of that by itself.
     *
     * @param slot from 0, below {@link Kvm#maxMemorySlots()}
     * @param gpa guest-physical address, a multiple of 4 KiB
     * @param memory native memory whose address and size are multiples of 4 KiB
     */
    public synchronized void setMemory(int slot, long gpa, MemorySegment memory, MemoryFlag... flags) {
        requireNative(slot, memory);
        checkOpen();
        region(slot, gpa, memory.byteSize(), memory.address(), MemoryFlag.bits(flags));
        slots.put(slot, memory);
    }

    /**
     * Makes memory that only the guest reaches, not this process (KVM_CREATE_GUEST_MEMFD, Linux 6.8).
     *
     * @param size bytes, a multiple of 4 KiB
     * @throws KvmException {@code kvm-capability} if this VM cannot have it
     */
    public Descriptor createGuestMemory(long size) {
        require(Capability.GUEST_MEMFD, "memory that only the guest reaches");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(MemoryAbi.GUEST_MEMFD);
            struct.set(JAVA_LONG, offset(MemoryAbi.GUEST_MEMFD, "size"), size);
            return Descriptor.adopt(fd.call(Ioctl.KVM_CREATE_GUEST_MEMFD, struct, size + " bytes"), "KVM guest memory");
        }
    }

    /**
     * As {@link #setMemory(int, long, MemorySegment, MemoryFlag...)}, with a second memory for the pages that
     * {@link #setMemoryAttributes} marks as private (KVM_SET_USER_MEMORY_REGION2, Linux 6.8).
     *
     * @param hidden from {@link #createGuestMemory}
     * @param hiddenOffset where in it the slot begins, bytes, a multiple of 4 KiB
     */
    public synchronized void setMemory(
            int slot, long gpa, MemorySegment memory, Descriptor hidden, long hiddenOffset, MemoryFlag... flags) {
        requireNative(slot, memory);
        require(Capability.USER_MEMORY2, "a slot with hidden memory");
        checkOpen();
        int number = hidden.acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(MemoryAbi.REGION2);
            struct.set(JAVA_INT, SLOT, slot);
            struct.set(JAVA_INT, FLAGS, MemoryFlag.bits(flags) | KVM_MEM_GUEST_MEMFD);
            struct.set(JAVA_LONG, ADDRESS, gpa);
            struct.set(JAVA_LONG, SIZE, memory.byteSize());
            struct.set(JAVA_LONG, HOST, memory.address());
            struct.set(JAVA_LONG, offset(MemoryAbi.REGION2, "guest_memfd_offset"), hiddenOffset);
            struct.set(JAVA_INT, offset(MemoryAbi.REGION2, "guest_memfd"), number);
            fd.call(Ioctl.KVM_SET_USER_MEMORY_REGION2, struct, "slot " + slot + ", 0x" + Long.toHexString(gpa));
            slots.put(slot, memory);
        } finally {
            hidden.release();
        }
    }

    private static void requireNative(int slot, MemorySegment memory) {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("memory slot " + slot + ": not native memory: " + memory);
        }
    }

    /** Takes the memory of a slot away from the guest. Does nothing if the slot is empty or the VM closed. */
    public synchronized void removeMemory(int slot) {
        if (!closed && slots.containsKey(slot)) {
            region(slot, 0, 0, 0, 0);
            slots.remove(slot);
        }
    }

    private void region(int slot, long gpa, long size, long host, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(MemoryAbi.REGION);
            struct.set(JAVA_INT, SLOT, slot);
            struct.set(JAVA_INT, FLAGS, flags);
            struct.set(JAVA_LONG, ADDRESS, gpa);
            struct.set(JAVA_LONG, SIZE, size);
            struct.set(JAVA_LONG, HOST, host);
            fd.call(
                    Ioctl.KVM_SET_USER_MEMORY_REGION,
                    struct,
                    "slot " + slot + ", 0x" + Long.toHexString(gpa) + " + 0x" + Long.toHexString(size) + ", flags "
                            + flags);
        } catch (KvmException e) {
            int most = kvm.maxMemorySlots();
            if (e.errno() != Errno.EINVAL || slot < most) {
                throw e;
            }
            throw new KvmException(
                    "kvm-memory-slots",
                    e.getMessage() + ": this host's KVM gives a VM " + most + " slots, from 0 on",
                    e.call(),
                    e.errno(),
                    "put memory into fewer, larger slots, or take away what is not used",
                    e);
        }
    }

    /**
     * Gives the guest memory of its own, in the lowest free slot.
     *
     * @param gpa guest-physical address, a multiple of 4 KiB
     * @param size bytes, a multiple of 4 KiB
     */
    public synchronized GuestRam mapMemory(long gpa, long size, MemoryFlag... flags) {
        checkOpen();
        return GuestRam.map(this, freeSlot(), gpa, size, flags);
    }

    private int freeSlot() {
        int slot = 0;
        while (slots.containsKey(slot)) {
            slot++;
        }
        return slot;
    }

    /** Bytes of the memory in a slot. */
    synchronized long slotSize(int slot) {
        MemorySegment memory = slots.get(slot);
        if (memory == null) {
            throw new IllegalArgumentException("memory slot " + slot + " is empty");
        }
        return memory.byteSize();
    }

    /** Where KVM keeps three pages that the guest must not use; Intel hosts need it before vCPUs run (KVM_SET_TSS_ADDR). */
    public void setTssAddress(long gpa) {
        fd.call(Ioctl.KVM_SET_TSS_ADDR, gpa);
    }

    /** Where KVM keeps one page of identity map; Intel hosts may need it, before vCPUs (KVM_SET_IDENTITY_MAP_ADDR). */
    public void setIdentityMapAddress(long gpa) {
        try (Arena arena = Arena.ofConfined()) {
            fd.call(Ioctl.KVM_SET_IDENTITY_MAP_ADDR, arena.allocateFrom(JAVA_LONG, gpa), "0x" + Long.toHexString(gpa));
        }
    }

    /** Which vCPU starts by itself; before vCPUs (KVM_SET_BOOT_CPU_ID). 0 by default. */
    public void setBootVcpu(int id) {
        fd.call(Ioctl.KVM_SET_BOOT_CPU_ID, id);
    }

    /**
     * Makes a vCPU.
     *
     * @param id also its initial APIC ID; each at most once in a VM's life
     */
    public Vcpu createVcpu(int id) {
        KvmDescriptor vcpu;
        try {
            vcpu = fd.open(Ioctl.KVM_CREATE_VCPU, id, "KVM vCPU " + id);
        } catch (KvmException e) {
            throw e.errno() == Errno.EINVAL ? noRoom(e) : e;
        }
        try {
            var made = new Vcpu(this, id, vcpu, runSize);
            synchronized (this) {
                vcpus++;
            }
            return made;
        } catch (LinuxException e) {
            vcpu.close();
            throw KvmException.of(e);
        } catch (RuntimeException | Error e) {
            vcpu.close();
            throw e;
        }
    }

    private KvmException noRoom(KvmException e) {
        int ids = kvm.check(Capability.MAX_VCPU_ID);
        return new KvmException(
                "kvm-vcpus",
                e.getMessage() + ": this host's KVM gives a VM up to " + kvm.maxVcpus() + " vCPUs"
                        + (ids > 0 ? ", with IDs below " + ids : ""),
                e.call(),
                e.errno(),
                "give it fewer, or IDs without gaps, or use a newer kernel",
                e);
    }

    /** The VM's clock now. */
    public VmClock clock() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(SystemAbi.CLOCK);
            fd.call(Ioctl.KVM_GET_CLOCK, struct);
            return VmClock.of(struct);
        }
    }

    /** Sets the VM's clock; with {@link VmClock#REALTIME} to the given time plus what has passed since. */
    public void setClock(VmClock clock) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(SystemAbi.CLOCK);
            clock.copyTo(struct);
            fd.call(Ioctl.KVM_SET_CLOCK, struct, clock.toString());
        }
    }

    /** Which MSR accesses leave the guest as {@link Exit.RdMsr} and {@link Exit.WrMsr} instead of faulting in it. */
    public void setUserSpaceMsrs(Set<UserSpaceMsr> reasons) {
        require(Capability.X86_USER_SPACE_MSR, "handling MSRs in userspace");
        long bits = 0;
        for (UserSpaceMsr reason : reasons) {
            bits |= reason.bit();
        }
        enable(Capability.X86_USER_SPACE_MSR, bits);
    }

    /** Which MSRs KVM handles and which it denies. */
    public void setMsrFilter(MsrFilter filter) {
        require(Capability.X86_MSR_FILTER, "an MSR filter");
        filter.apply(fd);
    }

    /**
     * Makes a guest exit with {@link Exit.Notify} that keeps the processor from taking interrupts.
     *
     * @param window clock ticks of the processor's crystal beyond the processor's own threshold
     */
    public void enableNotifyExits(int window) {
        require(Capability.X86_NOTIFY_VMEXIT, "exits of guests that block interrupts");
        enable(
                Capability.X86_NOTIFY_VMEXIT,
                Integer.toUnsignedLong(window) << 32 | KVM_X86_NOTIFY_VMEXIT_ENABLED | KVM_X86_NOTIFY_VMEXIT_USER);
    }

    /** Makes a guest exit with {@link Exit.BusLock} that locks the bus. */
    public void enableBusLockExits() {
        if ((check(Capability.X86_BUS_LOCK_EXIT) & KVM_BUS_LOCK_DETECTION_EXIT) == 0) {
            throw KvmException.lacks(Capability.X86_BUS_LOCK_EXIT, "exits at bus locks");
        }
        enable(Capability.X86_BUS_LOCK_EXIT, KVM_BUS_LOCK_DETECTION_EXIT);
    }

    /** Lets routes and messages reach APIC IDs from 255 on, in bits 63–40 of the address; before vCPUs. */
    public void enableX2apicApi() {
        require(Capability.X2APIC_API, "APIC IDs from 255 on");
        enable(Capability.X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
    }

    /**
     * Marks guest memory (KVM_SET_MEMORY_ATTRIBUTES, Linux 6.8).
     *
     * @param attributes the set bits of {@link Capability#MEMORY_ATTRIBUTES}: bit 3 is private
     */
    public void setMemoryAttributes(long gpa, long size, long attributes) {
        require(Capability.MEMORY_ATTRIBUTES, "memory attributes");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(MemoryAbi.ATTRIBUTES);
            struct.set(JAVA_LONG, offset(MemoryAbi.ATTRIBUTES, "address"), gpa);
            struct.set(JAVA_LONG, offset(MemoryAbi.ATTRIBUTES, "size"), size);
            struct.set(JAVA_LONG, offset(MemoryAbi.ATTRIBUTES, "attributes"), attributes);
            fd.call(
                    Ioctl.KVM_SET_MEMORY_ATTRIBUTES,
                    struct,
                    "0x" + Long.toHexString(gpa) + " + 0x" + Long.toHexString(size) + " = " + attributes);
        }
    }

    /** The kernel's statistics of this VM. */
    public KvmStats openStats() {
        require(Capability.BINARY_STATS_FD, "statistics");
        return KvmStats.of(
                fd.open(Ioctl.KVM_GET_STATS_FD, 0, "KVM VM statistics").raw());
    }

    synchronized void dirtyRingBytes(long bytes) {
        dirtyRingBytes = bytes;
    }

    /** Size of each vCPU's dirty ring, or 0. */
    synchronized long dirtyRingBytes() {
        return dirtyRingBytes;
    }

    MappingGroup mappings() {
        return mappings;
    }

    synchronized void vcpuClosed() {
        vcpus--;
        unmapIfDone();
    }

    KvmDescriptor descriptor() {
        return fd;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the VM is closed");
        }
    }

    /** Takes its memory away from vCPUs that are still open, and closes it. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (vcpus > 0) {
            removeAll();
        }
        slots.clear();
        fd.close();
        unmapIfDone();
    }

    private void unmapIfDone() {
        if (closed && vcpus == 0) {
            mappings.close();
        }
    }

    /** Each waits until no vCPU looks at the slot any more, which takes the kernel a while. */
    private void removeAll() {
        for (int slot : slots.keySet()) {
            try {
                region(slot, 0, 0, 0, 0);
            } catch (KvmException e) {
                // Out of memory, at worst: the slot goes with the VM then.
            }
        }
    }
}
