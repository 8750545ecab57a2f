package io.javisor.boot;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Bytes that can be read again and again: a file, or an array. An immutable value that holds nothing open; what is opened from
 * it may be read from any thread, by position.
 */
public interface ByteSource {
    /** For error messages: a file's path. */
    String name();

    /** Opens it for reading. */
    Reader open() throws IOException;

    /** An open source. */
    interface Reader extends AutoCloseable {
        /** How many bytes there are now. */
        long length() throws IOException;

        /**
         * Reads at a position until the segment is full or the source ends.
         *
         * @return bytes read, fewer than asked only at the end
         */
        long read(long position, MemorySegment into) throws IOException;

        @Override
        void close() throws IOException;
    }

    /** A file. It is opened anew for every use. */
    static ByteSource file(Path path) {
        return new FileSource(path);
    }

    /** An array, not copied. */
    static ByteSource of(String name, byte[] bytes) {
        return new ArraySource(name, MemorySegment.ofArray(bytes));
    }

    /**
     * A file.
     *
     * @param path where it is
     */
    record FileSource(Path path) implements ByteSource {
        // A read into memory that is not direct makes the JDK allocate a buffer of the same size.
        private static final long CHUNK = 4 << 20;

        @Override
        public String name() {
            return path.toString();
        }

        @Override
        public Reader open() throws IOException {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            return new Reader() {
                @Override
                public long length() throws IOException {
                    return channel.size();
                }

                @Override
                public long read(long position, MemorySegment into) throws IOException {
                    long done = 0;
                    while (done < into.byteSize()) {
                        ByteBuffer chunk = into.asSlice(done, Math.min(CHUNK, into.byteSize() - done))
                                .asByteBuffer();
                        int n = channel.read(chunk, position + done);
                        if (n <= 0) {
                            break;
                        }
                        done += n;
                    }
                    return done;
                }

                @Override
                public void close() throws IOException {
                    channel.close();
                }
            };
        }
    }

    /**
     * An array.
     *
     * @param name for error messages
     * @param bytes the array
     */
    record ArraySource(String name, MemorySegment bytes) implements ByteSource {
        @Override
        public Reader open() {
            return new Reader() {
                @Override
                public long length() {
                    return bytes.byteSize();
                }

                @Override
                public long read(long position, MemorySegment into) {
                    long n = Math.min(into.byteSize(), Math.max(0, bytes.byteSize() - position));
                    if (n > 0) {
                        MemorySegment.copy(bytes, position, into, 0, n);
                    }
                    return Math.max(0, n);
                }

                @Override
                public void close() {}
            };
        }
    }
}
