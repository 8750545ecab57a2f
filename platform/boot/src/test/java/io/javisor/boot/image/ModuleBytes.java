package io.javisor.boot.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Builds the smallest ELF objects that are kernel modules to a reader of .modinfo. */
final class ModuleBytes {
    static final int TABLE = 64;

    private ModuleBytes() {}

    /** Header, three section headers (null, names, .modinfo), names, information. */
    static byte[] of(String... info) {
        byte[] names = "\0.shstrtab\0.modinfo\0".getBytes(StandardCharsets.ISO_8859_1);
        byte[] text = (String.join("\0", info) + "\0").getBytes(StandardCharsets.ISO_8859_1);
        int namesAt = TABLE + 3 * 64;
        int textAt = namesAt + names.length;
        ByteBuffer elf = ByteBuffer.allocate(textAt + text.length).order(ByteOrder.LITTLE_ENDIAN);
        elf.putInt(0, 0x464C457F).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
        elf.putShort(16, (short) 1).putShort(18, (short) 62).putLong(40, TABLE);
        elf.putShort(58, (short) 64).putShort(60, (short) 3).putShort(62, (short) 1);
        elf.putInt(TABLE + 64, 1)
                .putInt(TABLE + 64 + 4, 3)
                .putLong(TABLE + 64 + 24, namesAt)
                .putLong(TABLE + 64 + 32, names.length);
        elf.putInt(TABLE + 128, 11)
                .putInt(TABLE + 128 + 4, 1)
                .putLong(TABLE + 128 + 24, textAt)
                .putLong(TABLE + 128 + 32, text.length);
        elf.put(namesAt, names).put(textAt, text);
        return elf.array();
    }

    /** Puts a module into a tree. */
    static void put(Path tree, String path, String... info) {
        put(tree, path, of(info));
    }

    static void put(Path tree, String path, byte[] bytes) {
        try {
            Path file = tree.resolve("kernel").resolve(path);
            Files.createDirectories(file.getParent());
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
