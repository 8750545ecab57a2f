package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** An initramfs: a cpio archive, compressed or not, that the kernel unpacks. An immutable value; may be used by any thread. */
public interface Initrd {
    /** For error messages: a file's path. */
    String name();

    /** How many bytes it takes in guest memory. */
    long length();

    /** Writes all its {@link #length()} bytes. */
    void writeTo(GuestMemory memory, long gpa);

    /**
     * A file, whose length is read now and its bytes at every start.
     *
     * @throws BootException if it can't be read
     */
    static Initrd file(Path path) {
        return of(ByteSource.file(path));
    }

    /**
     * Any source of bytes.
     *
     * @throws BootException if it can't be read
     */
    static Initrd of(ByteSource source) {
        try (ByteSource.Reader reader = source.open()) {
            return new SourceInitrd(source, reader.length());
        } catch (IOException e) {
            throw BootException.unreadable("initrd-missing", source.name(), e);
        }
    }

    /**
     * Several archives, one after the other, each at a multiple of 4 bytes: the kernel unpacks all, the later over the earlier
     * (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
     */
    static Initrd concat(List<Initrd> parts) {
        return new JoinedInitrd(List.copyOf(parts));
    }

    /**
     * Bytes of a source.
     *
     * @param source where they are
     * @param length how many they were when this was made
     */
    record SourceInitrd(ByteSource source, long length) implements Initrd {
        @Override
        public String name() {
            return source.name();
        }

        @Override
        public void writeTo(GuestMemory memory, long gpa) {
            try (ByteSource.Reader reader = source.open()) {
                long n = GuestCopy.copy(reader, 0, memory, gpa, length);
                if (n < length) {
                    throw new IOException("it had " + length + " bytes before and has " + n + " now");
                }
            } catch (IOException e) {
                throw BootException.unreadable("initrd-missing", name(), e);
            }
        }
    }

    /**
     * Several, one after the other.
     *
     * @param parts in order
     */
    record JoinedInitrd(List<Initrd> parts) implements Initrd {
        @Override
        public String name() {
            return String.join(" + ", parts.stream().map(Initrd::name).toList());
        }

        @Override
        public long length() {
            long at = 0;
            for (Initrd part : parts) {
                at = Math.addExact((at + 3) & -4, part.length());
            }
            return at;
        }

        @Override
        public void writeTo(GuestMemory memory, long gpa) {
            long at = 0;
            for (Initrd part : parts) {
                long start = (at + 3) & -4;
                GuestCopy.zero(memory, gpa + at, start - at);
                part.writeTo(memory, gpa + start);
                at = start + part.length();
            }
        }
    }
}
