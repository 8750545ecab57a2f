package io.javisor.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A ring of transfers that the kernel does while nobody waits for each (io_uring(7)); for one thread, which prepares transfers,
 * submits them together, and takes their results. Nothing here allocates once it is open.
 *
 * <pre>
 * prepare…  ─▶  submission queue  ─ submit ─▶  kernel  ─▶  completion queue  ─ next ─▶  token, result
 *               entries × 64 bytes                         2 × entries × 16 bytes
 * </pre>
 *
 * <p>What it needs Linux has since 5.6: one mapping for both queues, no completion that is lost, and lists of pieces that the kernel
 * copies when it takes the transfer. The memory of the pieces is not kept alive by the ring: its owner does that until
 * the result is there.
 *
 * <p>Offsets are those of linux/io_uring.h: {@code struct io_uring_params}, {@code io_uring_sqe}, {@code io_uring_cqe}.
 */
public final class IoUring implements AutoCloseable {
    /** Most entries of a submission queue here. */
    public static final int MAX_ENTRIES = 1024;

    private static final int PARAMETER_BYTES = 120;
    private static final int FEATURES = 20;
    private static final int SQ_ENTRIES = 0;
    private static final int CQ_ENTRIES = 4;
    private static final int SQ_OFFSETS = 40;
    private static final int CQ_OFFSETS = 80;
    // IORING_FEAT_SINGLE_MMAP, NODROP, SUBMIT_STABLE and RW_CUR_POS; the last one came with 5.6.
    private static final int NEEDED = 1 | 1 << 1 | 1 << 2 | 1 << 3;
    private static final long QUEUES_OFFSET = 0; // IORING_OFF_SQ_RING
    private static final long ENTRIES_OFFSET = 0x10000000L; // IORING_OFF_SQES

    private static final int SQE_BYTES = 64;
    private static final int CQE_BYTES = 16;
    private static final int IOVEC_BYTES = 16;
    private static final byte READV = 1;
    private static final byte WRITEV = 2;
    private static final byte POLL_ADD = 6;
    private static final byte ASYNC = 1 << 4; // IOSQE_ASYNC
    private static final int POLLIN = 1;
    private static final int GET_EVENTS = 1; // IORING_ENTER_GETEVENTS

    private static final VarHandle U32 = JAVA_INT.varHandle();

    private final Descriptor ring;
    private final Mapping queues;
    private final Mapping entries;
    // Of what is prepared; the kernel has copied them when it has taken it.
    private final MemorySegment vectors =
            Arena.ofAuto().allocate((long) IoVector.MAX_PIECES * IOVEC_BYTES, IOVEC_BYTES);
    // By place, of which each transfer has one until its result is taken: the kernel looks a file up when it gets to
    // the
    // transfer, which may be long after it has taken it, and then the number must still be that file's.
    private final @Nullable Descriptor[] held;
    private final long[] tokens;
    private final int[] free;
    private int frees;

    private final long sqHead;
    private final long sqTail;
    private final int sqMask;
    private final int capacity;
    private final long cqHead;
    private final long cqTail;
    private final int cqMask;
    private final long cqes;

    private int tail; // ours: of what has been prepared
    private int vectorsUsed;
    private long token;
    private int result;

    /**
     * Opens a ring.
     *
     * @param wanted entries of the submission queue, 1 to {@link #MAX_ENTRIES}; rounded up to a power of two
     * @throws LinuxException ENOSYS if the kernel has no io_uring, EPERM if the host forbids it (the sysctl
     *     {@code kernel.io_uring_disabled}, a filter of a container), EOPNOTSUPP if the kernel is older than 5.6
     */
    public IoUring(int wanted) {
        if (wanted < 1 || wanted > MAX_ENTRIES) {
            throw new IllegalArgumentException(wanted + " entries are not in 1.." + MAX_ENTRIES);
        }
        CallState state = CallState.current();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = arena.allocate(PARAMETER_BYTES, 8);
            int fd = UringCalls.setup(state, wanted, p);
            if (fd < 0) {
                throw new LinuxException("io_uring_setup", wanted + " entries", -fd);
            }
            ring = Descriptor.adopt(fd, "io_uring");
            Mapping opened = null;
            try {
                int features = p.get(JAVA_INT, FEATURES);
                if ((features & NEEDED) != NEEDED) {
                    throw new LinuxException(
                            "io_uring_setup", "features 0x" + Integer.toHexString(features), Errno.EOPNOTSUPP);
                }
                // One who may make a ring may still be kept from using it.
                int entered = UringCalls.enter(state, fd, 0, 0, 0);
                if (entered < 0) {
                    throw new LinuxException("io_uring_enter", "nothing", -entered);
                }
                capacity = p.get(JAVA_INT, SQ_ENTRIES);
                sqHead = p.get(JAVA_INT, SQ_OFFSETS);
                sqTail = p.get(JAVA_INT, SQ_OFFSETS + 4);
                cqHead = p.get(JAVA_INT, CQ_OFFSETS);
                cqTail = p.get(JAVA_INT, CQ_OFFSETS + 4);
                cqes = p.get(JAVA_INT, CQ_OFFSETS + 20);
                long array = p.get(JAVA_INT, SQ_OFFSETS + 24);
                long bytes = Math.max(array + 4L * capacity, cqes + (long) CQE_BYTES * p.get(JAVA_INT, CQ_ENTRIES));
                opened = Mapping.of(ring, QUEUES_OFFSET, bytes, Mapping.Access.SHARED);
                sqMask = opened.segment().get(JAVA_INT, p.get(JAVA_INT, SQ_OFFSETS + 8));
                cqMask = opened.segment().get(JAVA_INT, p.get(JAVA_INT, CQ_OFFSETS + 8));
                for (int i = 0; i < capacity; i++) {
                    opened.segment().set(JAVA_INT, array + 4L * i, i); // places are used in their order
                }
                entries = Mapping.of(ring, ENTRIES_OFFSET, (long) SQE_BYTES * capacity, Mapping.Access.SHARED);
                queues = opened;
            } catch (RuntimeException e) {
                if (opened != null) {
                    opened.close();
                }
                ring.close();
                throw e;
            }
        }
        held = new Descriptor[cqMask + 1];
        tokens = new long[held.length];
        free = new int[held.length];
        for (int i = 0; i < free.length; i++) {
            free[i] = i;
        }
        frees = free.length;
    }

    /** Transfers that can be prepared together; twice as many can be under way. */
    public int capacity() {
        return capacity;
    }

    /**
     * Prepares a read from a position into pieces of memory.
     *
     * @param token comes back with the result
     * @param aside whether a thread of the kernel shall do it from the start, because it copies much
     * @return false if there is no room for it beside what is prepared, or what is under way: submit, and take results, first
     * @throws IllegalStateException if the file is closed
     */
    public boolean prepareRead(HostFile file, IoVector into, long position, long token, boolean aside) {
        return prepare(READV, file.descriptor(), into, position, token, aside);
    }

    /** Prepares a write; otherwise as {@link #prepareRead}. */
    public boolean prepareWrite(HostFile file, IoVector from, long position, long token, boolean aside) {
        return prepare(WRITEV, file.descriptor(), from, position, token, aside);
    }

    /** Prepares to be told, once, when an event is signalled; false as of {@link #prepareRead}. */
    public boolean prepareAwait(EventFd event, long token) {
        return prepare(POLL_ADD, event.descriptor(), null, 0, token, false);
    }

    private boolean prepare(
            byte operation, Descriptor file, @Nullable IoVector vector, long position, long token, boolean aside) {
        int pieces = vector == null ? 0 : vector.size();
        if (prepared() == capacity || frees == 0 || vectorsUsed + pieces > IoVector.MAX_PIECES) {
            return false;
        }
        int fd = file.acquire(); // until its result is taken
        int place = free[--frees];
        held[place] = file;
        tokens[place] = token;
        long at = (long) SQE_BYTES * (tail & sqMask);
        MemorySegment sqe = entries.segment();
        sqe.set(JAVA_LONG, at, 0);
        sqe.set(JAVA_BYTE, at, operation);
        sqe.set(JAVA_BYTE, at + 1, aside ? ASYNC : 0);
        sqe.set(JAVA_INT, at + 4, fd);
        sqe.set(JAVA_LONG, at + 8, position);
        sqe.set(JAVA_LONG, at + 16, 0);
        sqe.set(JAVA_INT, at + 24, pieces);
        sqe.set(JAVA_INT, at + 28, vector == null ? POLLIN : 0);
        sqe.set(JAVA_LONG, at + 32, place);
        sqe.set(JAVA_LONG, at + 40, 0);
        sqe.set(JAVA_LONG, at + 48, 0);
        sqe.set(JAVA_LONG, at + 56, 0);
        if (vector != null) {
            long list = (long) IOVEC_BYTES * vectorsUsed;
            vector.copyListTo(vectors.asSlice(list));
            sqe.set(JAVA_LONG, at + 16, vectors.address() + list);
            vectorsUsed += pieces;
        }
        tail++;
        // The kernel looks at the tail before it reads the entries.
        U32.setRelease(queues.segment(), sqTail, tail);
        return true;
    }

    /** What has been prepared and not been taken by the kernel. */
    public int prepared() {
        return tail - (int) U32.getAcquire(queues.segment(), sqHead);
    }

    /**
     * Gives the kernel what is prepared, and waits for a result if asked to. A signal may end the wait without one.
     *
     * @throws LinuxException EAGAIN or EBUSY if the kernel has no memory now: what is still prepared is for the next call
     */
    public void submit(boolean await) {
        int fd = ring.acquire();
        int n;
        try {
            n = UringCalls.enter(CallState.current(), fd, prepared(), await ? 1 : 0, GET_EVENTS);
        } finally {
            ring.release();
        }
        if (prepared() == 0) {
            vectorsUsed = 0;
        }
        if (n < 0 && n != -Errno.EINTR) {
            throw new LinuxException("io_uring_enter", prepared() + " prepared", -n);
        }
    }

    /** Takes the next result, if there is one; {@link #token()} and {@link #result()} then tell of it. */
    public boolean next() {
        MemorySegment q = queues.segment();
        int head = q.get(JAVA_INT, cqHead); // nobody else moves it
        if (head == (int) U32.getAcquire(q, cqTail)) {
            return false;
        }
        long at = cqes + (long) CQE_BYTES * (head & cqMask);
        int place = (int) q.get(JAVA_LONG, at);
        result = q.get(JAVA_INT, at + 8);
        U32.setRelease(q, cqHead, head + 1); // the kernel may write there again
        token = tokens[place];
        Descriptor file = Objects.requireNonNull(held[place]);
        held[place] = null;
        free[frees++] = place;
        file.release();
        return true;
    }

    /** Of the last result: what was given when it was prepared. */
    public long token() {
        return token;
    }

    /** Of the last result: bytes, fewer at the end of the file, or a negative errno. */
    public int result() {
        return result;
    }

    /** Closes it. The kernel ends what it has not done yet in its own time: wait for the results before. Idempotent. */
    @Override
    public void close() {
        ring.close();
        queues.close();
        entries.close();
        for (Descriptor file : held) {
            if (file != null) {
                file.release();
            }
        }
        Arrays.fill(held, null);
    }
}
