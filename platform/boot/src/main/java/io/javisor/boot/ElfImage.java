package io.javisor.boot;

import io.javisor.partition.GuestMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A vmlinux: an x86-64 ELF executable whose loadable segments go to their physical addresses. It starts without unpacking
 * anything, with the same entry conditions as a bzImage's 64-bit code.
 */
final class ElfImage extends KernelImage {
    /** The first bytes of every ELF file. */
    static final byte[] MAGIC = {0x7F, 'E', 'L', 'F'};

    private static final int HEADER = 64;
    private static final int PROGRAM_HEADER = 56;
    private static final int MAX_PROGRAM_HEADERS = 128;
    private static final int ELFCLASS64 = 2;
    private static final int ELFDATA2LSB = 1;
    private static final int ET_EXEC = 2;
    private static final int EM_X86_64 = 62;
    private static final int PT_LOAD = 1;
    private static final int COMMAND_LINE_SIZE = 2048; // arch/x86/include/asm/setup.h, with the NUL
    private static final long INITRD_MAX = 0x7FFF_FFFFL;

    private record Segment(long offset, long gpa, long fileLength, long length) {
        long end() {
            return gpa + length;
        }
    }

    private final ByteSource source;
    private final byte[] header;
    private final List<Segment> segments;
    private final long entryPoint;

    private ElfImage(ByteSource source, byte[] header, List<Segment> segments, long entryPoint) {
        this.source = source;
        this.header = header;
        this.segments = segments;
        this.entryPoint = entryPoint;
    }

    static ElfImage parse(ByteSource source, ByteSource.Reader reader) throws IOException {
        String name = source.name();
        byte[] header = KernelImage.start(reader, HEADER);
        if (header.length < HEADER) {
            throw BootException.truncated(name, HEADER, header.length);
        }
        ByteBuffer h = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        if (header[4] != ELFCLASS64 || header[5] != ELFDATA2LSB || h.getShort(18) != EM_X86_64) {
            throw BootException.kernel(
                    name,
                    "is an ELF file, but not for x86-64 (class " + header[4] + ", data " + header[5] + ", machine "
                            + (h.getShort(18) & 0xFFFF) + ")");
        }
        if (h.getShort(16) != ET_EXEC) {
            throw BootException.kernel(
                    name,
                    "is an ELF file of type " + (h.getShort(16) & 0xFFFF) + ", not an executable at a fixed address");
        }
        int count = h.getShort(56) & 0xFFFF;
        if ((h.getShort(54) & 0xFFFF) != PROGRAM_HEADER || count < 1 || count > MAX_PROGRAM_HEADERS) {
            throw BootException.kernel(
                    name,
                    "has " + count + " program headers of " + (h.getShort(54) & 0xFFFF) + " bytes; 1 to "
                            + MAX_PROGRAM_HEADERS + " of " + PROGRAM_HEADER + " are understood");
        }
        byte[] table = new byte[count * PROGRAM_HEADER];
        long tableOffset = h.getLong(32);
        long fileLength = reader.length();
        if (tableOffset < HEADER || tableOffset > fileLength - table.length) {
            throw BootException.kernel(
                    name,
                    "program headers at 0x" + Long.toHexString(tableOffset) + " are outside the file of " + fileLength
                            + " bytes");
        }
        long n = reader.read(tableOffset, MemorySegment.ofArray(table));
        if (n < table.length) {
            throw BootException.truncated(name, tableOffset + table.length, tableOffset + n);
        }
        var parser = new Segments(name, fileLength, h.getLong(24));
        for (int i = 0; i < count; i++) {
            parser.add(
                    i,
                    ByteBuffer.wrap(table, i * PROGRAM_HEADER, PROGRAM_HEADER)
                            .slice()
                            .order(ByteOrder.LITTLE_ENDIAN));
        }
        byte[] all = Arrays.copyOf(header, HEADER + table.length);
        System.arraycopy(table, 0, all, HEADER, table.length);
        return new ElfImage(source, all, parser.sorted(), parser.entryPoint());
    }

    /** Collects and checks the loadable segments of one file. */
    private static final class Segments {
        private final String name;
        private final long fileLength;
        private final long entry;
        private final List<Segment> list = new ArrayList<>();
        private long entryPoint = -1;

        Segments(String name, long fileLength, long entry) {
            this.name = name;
            this.fileLength = fileLength;
            this.entry = entry;
        }

        void add(int index, ByteBuffer p) {
            if (p.getInt(0) != PT_LOAD) {
                return;
            }
            long virtual = p.getLong(16);
            var s = new Segment(p.getLong(8), p.getLong(24), p.getLong(32), p.getLong(40));
            if (s.length == 0) {
                return;
            }
            if (s.fileLength < 0
                    || s.length < s.fileLength
                    || s.gpa < BootAddresses.BIOS_END
                    || s.end() < 0
                    || s.end() > PageTables.MAPPED) {
                throw BootException.kernel(
                        name,
                        "segment " + index + " of " + s.fileLength + " bytes in the file and " + s.length
                                + " in memory at 0x" + Long.toHexString(s.gpa) + " is not between 1 MiB and 4 GiB");
            }
            if (s.offset < 0 || s.fileLength > fileLength || s.offset > fileLength - s.fileLength) {
                throw BootException.truncated(name, s.offset + s.fileLength, fileLength);
            }
            // Linux gives the entry as a physical address; others as a virtual one.
            if (entry >= s.gpa && entry < s.end()) {
                entryPoint = entry;
            } else if (entryPoint < 0 && entry - virtual >= 0 && entry - virtual < s.length && entry >= virtual) {
                entryPoint = s.gpa + (entry - virtual);
            }
            list.add(s);
        }

        List<Segment> sorted() {
            if (list.isEmpty()) {
                throw BootException.kernel(name, "has nothing to load");
            }
            list.sort(Comparator.comparingLong(Segment::gpa));
            for (int i = 1; i < list.size(); i++) {
                if (list.get(i).gpa < list.get(i - 1).end()) {
                    throw BootException.kernel(name, "segments overlap at 0x" + Long.toHexString(list.get(i).gpa));
                }
            }
            return List.copyOf(list);
        }

        long entryPoint() {
            if (entryPoint < 0) {
                throw BootException.kernel(name, "entry point 0x" + Long.toHexString(entry) + " is in no segment");
            }
            return entryPoint;
        }
    }

    @Override
    public ByteSource source() {
        return source;
    }

    @Override
    public int maxCommandLine() {
        return COMMAND_LINE_SIZE - 1;
    }

    @Override
    long maxInitrdAddress() {
        return INITRD_MAX;
    }

    @Override
    boolean initrdAbove4G() {
        return true;
    }

    @Override
    KernelPlace place(FreeMemory free) {
        long start = segments.getFirst().gpa;
        long length = segments.getLast().end() - start;
        if (!free.isFree(start, length)) {
            throw BootException.memory(source.name() + ": the kernel needs " + length + " bytes in one piece at 0x"
                    + Long.toHexString(start) + ", and the memory has no such room");
        }
        return new KernelPlace(start, length, entryPoint);
    }

    @Override
    void load(GuestMemory memory, KernelPlace place) {
        try (ByteSource.Reader reader = source.open()) {
            byte[] now = new byte[header.length - HEADER];
            reader.read(ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getLong(32), MemorySegment.ofArray(now));
            if (!Arrays.equals(KernelImage.start(reader, HEADER), Arrays.copyOf(header, HEADER))
                    || !Arrays.equals(now, 0, now.length, header, HEADER, header.length)) {
                throw BootException.changed(source.name());
            }
            for (Segment s : segments) {
                long n = GuestCopy.copy(reader, s.offset, memory, s.gpa, s.fileLength);
                if (n < s.fileLength) {
                    throw BootException.truncated(source.name(), s.offset + s.fileLength, s.offset + n);
                }
                // Memory may be what an earlier run of the machine left.
                GuestCopy.zero(memory, s.gpa + s.fileLength, s.length - s.fileLength);
            }
        } catch (IOException e) {
            throw BootException.unreadable("kernel-missing", source.name(), e);
        }
    }

    /** A bzImage's header of the fields that the kernel itself reads once it is unpacked. */
    @Override
    byte[] setupHeader() {
        ByteBuffer b = ByteBuffer.allocate(0x264 - 0x1F1).order(ByteOrder.LITTLE_ENDIAN);
        b.putShort(0x1FE - 0x1F1, (short) 0xAA55);
        b.putInt(0x202 - 0x1F1, 0x53726448);
        b.putShort(0x206 - 0x1F1, (short) 0x20F);
        b.put(0x211 - 0x1F1, (byte) 1);
        b.putInt(0x22C - 0x1F1, (int) INITRD_MAX);
        b.putInt(0x230 - 0x1F1, 0x100_0000);
        b.putShort(0x236 - 0x1F1, (short) 3);
        b.putInt(0x238 - 0x1F1, COMMAND_LINE_SIZE - 1);
        return b.array();
    }

    @Override
    public String toString() {
        return "ElfImage[" + source.name() + "]";
    }
}
