package io.javisor.kvm;

import static io.javisor.kvm.abi.RunAbi.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/** What reads and writes of I/O ports have in common. */
abstract sealed class PortExit permits Exit.IoIn, Exit.IoOut {
    private static final long SIZE = at("io", "size");
    private static final long PORT = at("io", "port");
    private static final long COUNT = at("io", "count");
    private static final long DATA_OFFSET = at("io", "data_offset");

    final MemorySegment run;

    PortExit(MemorySegment run) {
        this.run = run;
    }

    /** Port number, 0 to 65535. */
    public int port() {
        return Short.toUnsignedInt(run.get(JAVA_SHORT, PORT));
    }

    /** Bytes of one element: 1, 2 or 4. */
    public int size() {
        return run.get(JAVA_BYTE, SIZE);
    }

    /** Elements: 1, or more for a string instruction. */
    public int count() {
        return run.get(JAVA_INT, COUNT);
    }

    /** The elements' bytes, {@code size × count}. */
    public MemorySegment data() {
        return run.asSlice(run.get(JAVA_LONG, DATA_OFFSET), (long) size() * count());
    }

    long offset(int element) {
        if (element < 0 || element >= count()) {
            throw new IndexOutOfBoundsException("element " + element + " of " + count());
        }
        return run.get(JAVA_LONG, DATA_OFFSET) + (long) element * size();
    }
}
