package io.javisor.kvm.gdb;

import io.javisor.kvm.Translation;
import io.javisor.kvm.Vcpu;
import io.javisor.partition.GuestAddressException;
import io.javisor.partition.GuestMemory;
import java.util.Arrays;

/** Memory by virtual addresses, as the page tables of a held vCPU lead to it. */
final class GuestView {
    private static final int PAGE = 4096;

    private final GuestMemory memory;

    GuestView(GuestMemory memory) {
        this.memory = memory;
    }

    /**
     * Where an address leads.
     *
     * @throws GdbError if it leads nowhere
     */
    static long physical(Vcpu vcpu, long address) {
        Translation to = vcpu.state().translate(address);
        if (!to.valid()) {
            throw new GdbError(GdbError.BAD_ADDRESS);
        }
        return to.physicalAddress();
    }

    /** Copies memory out, as far as there is any; at least the first byte must be there. */
    byte[] read(Vcpu vcpu, long address, int length) {
        byte[] bytes = new byte[length];
        int done = 0;
        try {
            while (done < length) {
                int part = part(address + done, length - done);
                byte[] page = new byte[part];
                memory.read(physical(vcpu, address + done), page);
                System.arraycopy(page, 0, bytes, done, part);
                done += part;
            }
        } catch (GdbError | GuestAddressException e) {
            if (done == 0) {
                throw new GdbError(GdbError.BAD_ADDRESS);
            }
        }
        return Arrays.copyOf(bytes, done);
    }

    /** Copies bytes in, whatever the page tables say of writing; all or, where an address leads nowhere, nothing. */
    void write(Vcpu vcpu, long address, byte... bytes) {
        for (boolean really : new boolean[] {false, true}) {
            for (int done = 0; done < bytes.length; ) {
                int part = part(address + done, bytes.length - done);
                long gpa = physical(vcpu, address + done);
                if (really) {
                    memory.write(gpa, Arrays.copyOfRange(bytes, done, done + part));
                } else if (!memory.contains(gpa, part)) {
                    throw new GdbError(GdbError.BAD_ADDRESS);
                }
                done += part;
            }
        }
    }

    byte byteAt(long gpa) {
        try {
            return memory.getByte(gpa);
        } catch (GuestAddressException e) {
            throw new GdbError(GdbError.BAD_ADDRESS);
        }
    }

    void putByte(long gpa, byte value) {
        memory.putByte(gpa, value);
    }

    private static int part(long address, int length) {
        return (int) Math.min(length, PAGE - (address & (PAGE - 1)));
    }
}
