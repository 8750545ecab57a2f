package io.javisor.boot.debian;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Tells programs that need no libraries: x86-64 executables without a PT_INTERP program header (ELF-64 object file format). */
final class StaticElf {
    private static final int PT_INTERP = 3;
    private static final int PROGRAM_HEADER = 56;

    private StaticElf() {}

    /** False too if there is no such file, or it is something else. */
    static boolean isStatic(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer header = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            if (channel.read(header, 0) != 64
                    || header.getInt(0) != 0x464C457F
                    || header.get(4) != 2
                    || header.getShort(18) != 62
                    || header.getShort(54) != PROGRAM_HEADER) {
                return false;
            }
            long table = header.getLong(32);
            int count = Short.toUnsignedInt(header.getShort(56));
            for (int i = 0; i < count; i++) {
                ByteBuffer type = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
                if (table < 0
                        || channel.read(type, table + (long) i * PROGRAM_HEADER) != 4
                        || type.getInt(0) == PT_INTERP) {
                    return false;
                }
            }
            return count > 0;
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }
}
