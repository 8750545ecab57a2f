package io.javisor.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.javisor.kvm.abi.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Groups of state as opaque bytes, to and from the kernel. */
final class Groups {
    private Groups() {}

    static byte[] get(KvmDescriptor fd, Ioctl ioctl, long size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(size, 8);
            fd.call(ioctl, struct);
            return struct.toArray(JAVA_BYTE);
        }
    }

    static void set(KvmDescriptor fd, Ioctl ioctl, byte[] bytes, long size) {
        if (bytes.length != size) {
            throw new IllegalArgumentException(ioctl + ": " + bytes.length + " bytes of state, not " + size);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(size, 8);
            MemorySegment.copy(bytes, 0, struct, JAVA_BYTE, 0, bytes.length);
            fd.call(ioctl, struct);
        }
    }
}
