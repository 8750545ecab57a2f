package io.javisor.kvm;

import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.SystemAbi;
import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Lists of MSRs to and from the kernel: struct kvm_msrs and struct kvm_msr_list. */
final class MsrList {
    // MAX_IO_MSRS of arch/x86/kvm/x86.c: the kernel takes fewer than this at once.
    private static final int MAX = 255;
    private static final long HEAD = SystemAbi.MSRS.byteSize();
    private static final long ENTRY = SystemAbi.MSR_ENTRY.byteSize();
    private static final long INDEX = offset(SystemAbi.MSR_ENTRY, "index");
    private static final long DATA = offset(SystemAbi.MSR_ENTRY, "data");

    private MsrList() {}

    static int[] indices(KvmDescriptor fd, Ioctl ioctl) {
        long head = SystemAbi.MSR_LIST.byteSize();
        for (int room = 256; ; ) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment list = arena.allocate(head + 4L * room, 4);
                list.set(JAVA_INT, 0, room);
                int result = fd.tryCall(ioctl, list);
                int count = list.get(JAVA_INT, 0);
                if (result == -Errno.E2BIG && count > room) {
                    room = count;
                    continue;
                }
                if (result < 0) {
                    throw KvmException.of(new LinuxException(ioctl.name(), "room for " + room, -result));
                }
                return list.asSlice(head, 4L * count).toArray(JAVA_INT);
            }
        }
    }

    /** All of the given MSRs, in their order; refuses the first that KVM does not read. */
    static List<Msr> get(KvmDescriptor fd, int... indices) {
        List<Msr> all = new ArrayList<>(indices.length);
        while (all.size() < indices.length) {
            if (getSome(fd, indices, all) == 0) {
                int index = indices[all.size()];
                throw new KvmException(
                        "kvm-msr",
                        String.format("KVM_GET_MSRS: MSR 0x%08x cannot be read", index),
                        "KVM_GET_MSRS",
                        0,
                        "ask for MSRs of Kvm.msrIndexList() or of the guest's CPUID features only",
                        null);
            }
        }
        return List.copyOf(all);
    }

    /** Those of the given MSRs that KVM reads; skips the rest. */
    static List<Msr> getReadable(KvmDescriptor fd, int... indices) {
        List<Msr> all = new ArrayList<>(indices.length);
        int[] rest = indices;
        while (rest.length > 0) {
            int before = all.size();
            List<Msr> part = new ArrayList<>();
            while (part.size() < rest.length && getSome(fd, rest, part) > 0) {
                // getSome adds
            }
            all.addAll(part);
            int used = all.size() - before;
            // Skip the one that stopped us.
            rest = java.util.Arrays.copyOfRange(rest, Math.min(rest.length, used + 1), rest.length);
        }
        return List.copyOf(all);
    }

    private static int getSome(KvmDescriptor fd, int[] indices, List<Msr> into) {
        int from = into.size();
        int count = Math.min(MAX, indices.length - from);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEAD + count * ENTRY, 8);
            list.set(JAVA_INT, 0, count);
            for (int i = 0; i < count; i++) {
                list.set(JAVA_INT, HEAD + i * ENTRY + INDEX, indices[from + i]);
            }
            int read = fd.call(Ioctl.KVM_GET_MSRS, list, count + " MSRs");
            for (int i = 0; i < read; i++) {
                into.add(new Msr(indices[from + i], list.get(JAVA_LONG, HEAD + i * ENTRY + DATA)));
            }
            return read;
        }
    }

    /** Writes until KVM refuses one; returns how many it took. */
    static int trySet(KvmDescriptor fd, List<Msr> msrs) {
        int done = 0;
        while (done < msrs.size()) {
            int count = Math.min(MAX, msrs.size() - done);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment list = arena.allocate(HEAD + count * ENTRY, 8);
                list.set(JAVA_INT, 0, count);
                for (int i = 0; i < count; i++) {
                    list.set(
                            JAVA_INT,
                            HEAD + i * ENTRY + INDEX,
                            msrs.get(done + i).index());
                    list.set(
                            JAVA_LONG,
                            HEAD + i * ENTRY + DATA,
                            msrs.get(done + i).value());
                }
                int written = fd.call(Ioctl.KVM_SET_MSRS, list, count + " MSRs");
                done += written;
                if (written < count) {
                    return done;
                }
            }
        }
        return done;
    }

    static void set(KvmDescriptor fd, List<Msr> msrs) {
        int done = trySet(fd, msrs);
        if (done < msrs.size()) {
            throw new KvmException(
                    "kvm-msr",
                    "KVM_SET_MSRS: " + msrs.get(done) + " is refused",
                    "KVM_SET_MSRS",
                    0,
                    "check the value, and that the guest's CPUID has the MSR's feature (set CPUID before MSRs)",
                    null);
        }
    }
}
