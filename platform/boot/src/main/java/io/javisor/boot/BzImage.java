package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import java.io.IOException;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * A bzImage (Linux, Documentation/arch/x86/boot.rst): real-mode setup sectors, of which only the header matters here, then the
 * 64-bit code that unpacks the kernel.
 */
final class BzImage extends KernelImage {
    private static final long ENTRY_64 = 0x200;
    private static final long MIB = 1L << 20;

    private final ByteSource source;
    private final SetupHeader header;

    private BzImage(ByteSource source, SetupHeader header) {
        this.source = source;
        this.header = header;
    }

    static BzImage parse(ByteSource source, ByteSource.Reader reader) throws IOException {
        byte[] start = KernelImage.start(reader, SetupHeader.READ);
        return new BzImage(source, SetupHeader.parse(source.name(), start, reader.length()));
    }

    SetupHeader header() {
        return header;
    }

    @Override
    public ByteSource source() {
        return source;
    }

    @Override
    public int maxCommandLine() {
        return header.commandLineSize();
    }

    @Override
    long maxInitrdAddress() {
        return header.initrdAddressMax();
    }

    @Override
    boolean initrdAbove4G() {
        return header.loadableAbove4G();
    }

    @Override
    KernelPlace place(FreeMemory free) {
        long length = Math.max(header.initSize(), header.payloadLength());
        long at = header.preferredAddress();
        if (!free.isFree(at, length) || at + length > PageTables.MAPPED) {
            OptionalLong elsewhere = header.relocatable()
                    ? free.lowest(length, header.alignment(), MIB, PageTables.MAPPED)
                    : OptionalLong.empty();
            at = elsewhere.orElseThrow(() -> BootException.memory(source.name() + ": the kernel needs " + length
                    + " bytes in one piece at 0x" + Long.toHexString(header.preferredAddress())
                    + (header.relocatable() ? " or elsewhere" : "") + " below 4 GiB, and the memory has no such room"));
        }
        return new KernelPlace(at, length, at + ENTRY_64);
    }

    @Override
    void load(GuestMemory memory, KernelPlace place) {
        try (ByteSource.Reader reader = source.open()) {
            if (!Arrays.equals(KernelImage.start(reader, SetupHeader.READ), header.raw())) {
                throw BootException.changed(source.name());
            }
            long n = GuestCopy.copy(reader, header.setupLength(), memory, place.gpa(), header.payloadLength());
            if (n < header.payloadLength()) {
                throw BootException.truncated(source.name(), header.payloadLength(), n);
            }
        } catch (IOException e) {
            throw BootException.unreadable("kernel-missing", source.name(), e);
        }
    }

    @Override
    byte[] setupHeader() {
        return header.forZeroPage();
    }

    @Override
    public String toString() {
        return "BzImage[" + source.name() + "]";
    }
}
