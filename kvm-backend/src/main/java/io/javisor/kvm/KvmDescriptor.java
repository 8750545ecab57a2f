package io.javisor.kvm;

import io.javisor.kvm.abi.Ioctl;
import io.javisor.linux.CallState;
import io.javisor.linux.Descriptor;
import io.javisor.linux.Errno;
import io.javisor.linux.LinuxException;
import java.lang.foreign.MemorySegment;

/** A KVM descriptor: ioctls by name, EINTR retried, refusals as {@link KvmException}. Safe from any thread. */
final class KvmDescriptor implements AutoCloseable {
    private final Descriptor descriptor;

    KvmDescriptor(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    Descriptor raw() {
        return descriptor;
    }

    int call(Ioctl ioctl, long value) {
        int result = tryCall(ioctl, value);
        if (result < 0) {
            throw KvmException.of(new LinuxException(
                    ioctl.name(), value == 0 ? descriptor.toString() : "0x" + Long.toHexString(value), -result));
        }
        return result;
    }

    int tryCall(Ioctl ioctl, long value) {
        CallState state = CallState.current();
        int result;
        do {
            result = descriptor.tryIoctl(state, ioctl.number(), value);
        } while (result == -Errno.EINTR);
        return result;
    }

    int call(Ioctl ioctl, MemorySegment struct) {
        return call(ioctl, struct, "");
    }

    /** With the values for the message. */
    int call(Ioctl ioctl, MemorySegment struct, String values) {
        int result = tryCall(ioctl, struct);
        if (result < 0) {
            throw KvmException.of(new LinuxException(ioctl.name(), values, -result));
        }
        return result;
    }

    int tryCall(Ioctl ioctl, MemorySegment struct) {
        CallState state = CallState.current();
        int result;
        do {
            result = descriptor.tryIoctl(state, ioctl.number(), struct);
        } while (result == -Errno.EINTR);
        return result;
    }

    /** An ioctl that returns a new descriptor. */
    KvmDescriptor open(Ioctl ioctl, long value, String name) {
        return new KvmDescriptor(Descriptor.adopt(call(ioctl, value), name));
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
