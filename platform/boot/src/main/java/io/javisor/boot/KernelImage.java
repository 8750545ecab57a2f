package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A Linux kernel whose headers have been read and checked: a bzImage or a vmlinux ELF file. An immutable value that holds
 * nothing open, so that one may start any number of machines; each start reads the file again and refuses it if it is not
 * the same.
 */
public abstract sealed class KernelImage permits BzImage, ElfImage {
    KernelImage() {}

    /** Where the bytes are. */
    public abstract ByteSource source();

    /** The longest command line that the kernel takes, in bytes without the NUL. */
    public abstract int maxCommandLine();

    /** The highest address that any byte of the initramfs may have. */
    abstract long maxInitrdAddress();

    /** Whether the initramfs may lie above 4 GiB. */
    abstract boolean initrdAbove4G();

    /**
     * Finds room for the kernel.
     *
     * @throws BootException if there is none
     */
    abstract KernelPlace place(FreeMemory free);

    /** Writes the kernel; the place is one that {@link #place} gave for memory of the same plan. */
    abstract void load(GuestMemory memory, KernelPlace place);

    /** The setup header for the zero page: from offset 0x1F1 on, at most to 0x290. */
    abstract byte[] setupHeader();

    /**
     * Reads and checks a kernel file.
     *
     * @throws BootException if it is missing, or is not a kernel that can be booted
     */
    public static KernelImage read(Path path) {
        return read(ByteSource.file(path));
    }

    /**
     * Reads and checks a kernel.
     *
     * @throws BootException if it is missing, or is not a kernel that can be booted
     */
    public static KernelImage read(ByteSource source) {
        try (ByteSource.Reader reader = source.open()) {
            byte[] start = start(reader, 4);
            if (Arrays.equals(start, ElfImage.MAGIC)) {
                return ElfImage.parse(source, reader);
            }
            return BzImage.parse(source, reader);
        } catch (IOException e) {
            throw BootException.unreadable("kernel-missing", source.name(), e);
        }
    }

    /** The first bytes, fewer if there are not so many. */
    static byte[] start(ByteSource.Reader reader, int length) throws IOException {
        byte[] bytes = new byte[length];
        int n = (int) reader.read(0, MemorySegment.ofArray(bytes));
        return n == length ? bytes : Arrays.copyOf(bytes, n);
    }
}
