package io.javisor.kvm;

import static io.javisor.kvm.abi.Struct.offset;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.kvm.abi.SystemAbi;
import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Lists of CPUID leaves to and from the kernel: struct kvm_cpuid2. */
final class CpuidList {
    // KVM_MAX_CPUID_ENTRIES of arch/x86/include/asm/kvm_host.h
    private static final int MAX = 256;

    /** KVM runs CPUID for each leaf before it says that there is no room for it, which traps where it is a guest itself. */
    private static final int FIRST_ROOM = 128;

    private static final long HEAD = SystemAbi.CPUID.byteSize();
    private static final long ENTRY = SystemAbi.CPUID_ENTRY.byteSize();
    private static final long FUNCTION = offset(SystemAbi.CPUID_ENTRY, "function");
    private static final long INDEX = offset(SystemAbi.CPUID_ENTRY, "index");
    private static final long FLAGS = offset(SystemAbi.CPUID_ENTRY, "flags");
    private static final long EAX = offset(SystemAbi.CPUID_ENTRY, "eax");
    private static final long EBX = offset(SystemAbi.CPUID_ENTRY, "ebx");
    private static final long ECX = offset(SystemAbi.CPUID_ENTRY, "ecx");
    private static final long EDX = offset(SystemAbi.CPUID_ENTRY, "edx");

    private CpuidList() {}

    static List<CpuidEntry> get(KvmDescriptor fd, Ioctl ioctl) {
        for (int room = FIRST_ROOM; ; room *= 2) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment list = arena.allocate(HEAD + room * ENTRY, 8);
                list.set(JAVA_INT, 0, room);
                int result = fd.tryCall(ioctl, list);
                if (result == -Errno.E2BIG && room < 1 << 14) {
                    continue;
                }
                if (result < 0) {
                    throw KvmException.of(new LinuxException(ioctl.name(), "room for " + room + " leaves", -result));
                }
                List<CpuidEntry> entries = new ArrayList<>();
                for (int i = 0; i < list.get(JAVA_INT, 0); i++) {
                    MemorySegment e = list.asSlice(HEAD + i * ENTRY, ENTRY);
                    entries.add(new CpuidEntry(
                            e.get(JAVA_INT, FUNCTION),
                            e.get(JAVA_INT, INDEX),
                            e.get(JAVA_INT, FLAGS),
                            e.get(JAVA_INT, EAX),
                            e.get(JAVA_INT, EBX),
                            e.get(JAVA_INT, ECX),
                            e.get(JAVA_INT, EDX)));
                }
                return List.copyOf(entries);
            }
        }
    }

    static void set(KvmDescriptor fd, List<CpuidEntry> entries) {
        if (entries.size() > MAX) {
            throw new IllegalArgumentException(entries.size() + " CPUID leaves, KVM takes " + MAX);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEAD + entries.size() * ENTRY, 8);
            list.set(JAVA_INT, 0, entries.size());
            for (int i = 0; i < entries.size(); i++) {
                CpuidEntry entry = entries.get(i);
                MemorySegment e = list.asSlice(HEAD + i * ENTRY, ENTRY);
                e.set(JAVA_INT, FUNCTION, entry.function());
                e.set(JAVA_INT, INDEX, entry.index());
                e.set(JAVA_INT, FLAGS, entry.flags());
                e.set(JAVA_INT, EAX, entry.eax());
                e.set(JAVA_INT, EBX, entry.ebx());
                e.set(JAVA_INT, ECX, entry.ecx());
                e.set(JAVA_INT, EDX, entry.edx());
            }
            fd.call(Ioctl.KVM_SET_CPUID2, list, entries.size() + " leaves");
        }
    }
}
