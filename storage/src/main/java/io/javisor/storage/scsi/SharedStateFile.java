package io.javisor.storage.scsi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.storage.disk.DiskException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What processes that share a unit know of it, in a file: a state that is replaced as a whole, and a bell that is rung before. Who
 * writes is alone, by other means. A process that ends in the middle of a write leaves the state as it was.
 *
 * <pre>
 *     0   magic, version, generation, length and checksum of the state, the file's inode, checksum of these
 *  4096   the bell: how often it has been rung
 *  8192   states of even generations; after 512 KiB those of odd ones
 * </pre>
 */
final class SharedStateFile implements AutoCloseable {
    /** Most bytes of a state. */
    static final int MOST_BYTES = 512 << 10;

    private static final long MAGIC = 0x4A56_5348_4152_4544L;
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 40;
    private static final int BELL = 4096;
    private static final int STATES = 8192;

    private final HostFile file;
    private final long inode;
    private long generation;

    private SharedStateFile(HostFile file) {
        this.file = file;
        inode = file.status().inode();
    }

    /** Opens a file, which need not be there or have anything in it. */
    static SharedStateFile open(Path path) {
        try {
            HostFile file = HostFile.open(path, HostFile.READ_WRITE | HostFile.CREATE | HostFile.NO_FOLLOW);
            if (!file.status().isRegularFile()) {
                file.close();
                throw new DiskException(DiskException.Kind.OPEN, path + " is no file", "remove it");
            }
            return new SharedStateFile(file);
        } catch (LinuxException e) {
            throw failed(DiskException.Kind.OPEN, e);
        }
    }

    private static DiskException failed(DiskException.Kind kind, LinuxException e) {
        return new DiskException(
                kind,
                "shared reservations: " + e.getMessage(),
                e.call(),
                e.errno(),
                "give all processes that share the disk access to its folder, and free space there",
                e);
    }

    /** Empties it: nobody else uses it. */
    void reset(byte[] state) {
        try {
            file.truncate(0);
            generation = 0;
            put(new byte[Long.BYTES], BELL);
            write(state);
        } catch (LinuxException e) {
            throw failed(DiskException.Kind.WRITE, e);
        }
    }

    /** Replaces the state. */
    void write(byte[] state) {
        if (state.length > MOST_BYTES) {
            throw new IllegalStateException(state.length + " bytes of state");
        }
        long next = generation + 1;
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putLong(MAGIC).putInt(VERSION).putInt(state.length);
        header.putLong(next).putInt(checksum(state, state.length)).putLong(inode);
        header.putInt(checksum(header.array(), HEADER_BYTES - 4));
        put(state, place(next));
        put(header.array(), 0);
        generation = next;
    }

    /**
     * The state, or null if it is the one that was read or written last.
     *
     * @throws DiskException of kind FORMAT if it is damaged, or older than that
     */
    byte @org.jspecify.annotations.Nullable [] readNew() {
        byte[] bytes = get(0, HEADER_BYTES);
        ByteBuffer header = ByteBuffer.wrap(bytes);
        long magic = header.getLong();
        int version = header.getInt();
        int length = header.getInt();
        long found = header.getLong();
        int sum = header.getInt();
        long of = header.getLong();
        if (magic != MAGIC
                || version != VERSION
                || header.getInt() != checksum(bytes, HEADER_BYTES - 4)
                || of != inode
                || length < 0
                || length > MOST_BYTES
                || found < generation) {
            throw damaged("its header is version " + version + ", generation " + found + " after " + generation);
        }
        if (found == generation) {
            return null;
        }
        byte[] state = get(place(found), length);
        if (checksum(state, length) != sum) {
            throw damaged("the state of generation " + found + " has another checksum");
        }
        generation = found;
        return state;
    }

    /** How often the bell has been rung. */
    long bell() {
        return ByteBuffer.wrap(get(BELL, Long.BYTES)).getLong();
    }

    /** Rings it for all who watch the file; returns how often it has been rung. */
    long ring() {
        long rung = bell() + 1;
        put(ByteBuffer.allocate(Long.BYTES).putLong(rung).array(), BELL);
        return rung;
    }

    DiskException damaged(String how) {
        return new DiskException(
                DiskException.Kind.FORMAT,
                "shared reservations in " + file + " are damaged, or the file was replaced while in use: " + how,
                "end all processes that share the disk: the next one makes the file anew");
    }

    private static long place(long generation) {
        return STATES + (generation & 1) * MOST_BYTES;
    }

    private static int checksum(byte[] bytes, int length) {
        var crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    private byte[] get(long position, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(Math.max(1, length));
            int done = 0;
            while (done < length) {
                long n = file.read(into.asSlice(done, length - done), position + done);
                if (n == 0) {
                    throw damaged("it ends at " + (position + done));
                }
                done += (int) n;
            }
            return Arrays.copyOf(into.toArray(JAVA_BYTE), length);
        } catch (LinuxException e) {
            throw failed(DiskException.Kind.READ, e);
        }
    }

    private void put(byte[] bytes, long position) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, from, 0, bytes.length);
            for (int done = 0; done < bytes.length; ) {
                done += (int) file.write(from.asSlice(done, bytes.length - done), position + done);
            }
        } catch (LinuxException e) {
            throw failed(DiskException.Kind.WRITE, e);
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
