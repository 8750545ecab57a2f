package io.javisor.boot.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a kernel module says of itself in its {@code .modinfo} section: NUL-separated {@code key=value} texts
 * (include/linux/moduleparam.h, {@code MODULE_INFO}).
 *
 * @param name the module's name, with underscores; empty if it does not say
 * @param depends names of the modules whose symbols it uses
 * @param aliases patterns and names by which the kernel asks for it
 * @param softBefore modules to load before it if they exist ({@code softdep=pre: ...}), by name or alias
 */
public record ModuleInfo(String name, List<String> depends, List<String> aliases, List<String> softBefore) {
    // ELF-64 object file format: header and section header sizes, and the values of a relocatable x86-64 object
    private static final int HEADER = 64;
    private static final int SECTION = 64;
    private static final int ET_REL = 1;
    private static final int EM_X86_64 = 62;
    private static final int SHT_NOBITS = 8;
    private static final int MAX_INFO = 1 << 20;

    /** Copies the lists. */
    public ModuleInfo {
        depends = List.copyOf(depends);
        aliases = List.copyOf(aliases);
        softBefore = List.copyOf(softBefore);
    }

    /**
     * Reads a module's section.
     *
     * @param file what errors call it
     * @param module the whole module, decompressed
     * @return what it says
     * @throws ImageException if this is no x86-64 module, or it is damaged
     */
    public static ModuleInfo parse(String file, byte[] module) {
        ByteBuffer elf = ByteBuffer.wrap(module).order(ByteOrder.LITTLE_ENDIAN);
        // e_ident: magic, ELFCLASS64, ELFDATA2LSB
        if (module.length < HEADER || elf.getInt(0) != 0x464C457F || elf.get(4) != 2 || elf.get(5) != 1) {
            throw damaged(file, "no 64-bit ELF object");
        }
        if (elf.getShort(16) != ET_REL || elf.getShort(18) != EM_X86_64) {
            throw damaged(file, "no relocatable object for x86-64");
        }
        long table = elf.getLong(40);
        int count = Short.toUnsignedInt(elf.getShort(60));
        int names = Short.toUnsignedInt(elf.getShort(62));
        if (Short.toUnsignedInt(elf.getShort(58)) != SECTION
                || table < HEADER
                || table > module.length
                || (long) count * SECTION > module.length - table
                || names >= count) {
            throw damaged(file, "its section table is not inside it");
        }
        ByteBuffer strings = section(file, elf, (int) table, names);
        for (int i = 0; i < count; i++) {
            int name = elf.getInt((int) table + i * SECTION);
            if (named(strings, name)) {
                ByteBuffer info = section(file, elf, (int) table, i);
                if (info.remaining() > MAX_INFO) {
                    throw damaged(file, "its .modinfo is larger than " + MAX_INFO + " bytes");
                }
                byte[] text = new byte[info.remaining()];
                info.get(text);
                return parse(text);
            }
        }
        throw damaged(file, "it has no .modinfo section");
    }

    /** A module's name as the kernel has it: {@code -} and {@code _} are the same. */
    static String normalize(String name) {
        return name.replace('-', '_');
    }

    private static ModuleInfo parse(byte[] text) {
        String name = "";
        List<String> depends = new ArrayList<>();
        List<String> aliases = new ArrayList<>();
        List<String> soft = new ArrayList<>();
        for (String line : new String(text, StandardCharsets.ISO_8859_1).split("\0", -1)) {
            int equals = line.indexOf('=');
            String value = line.substring(equals + 1);
            switch (equals < 0 ? "" : line.substring(0, equals)) {
                case "name" -> name = normalize(value);
                case "depends" -> {
                    for (String depend : value.split(",", -1)) {
                        if (!depend.isEmpty()) {
                            depends.add(normalize(depend));
                        }
                    }
                }
                case "alias" -> aliases.add(value);
                case "softdep" -> soft.addAll(before(value));
                default -> {} // licence, version, parameters: nothing that loading needs
            }
        }
        return new ModuleInfo(name, depends, aliases, soft);
    }

    /** "pre: a b post: c" gives a and b. */
    private static List<String> before(String softdep) {
        List<String> names = new ArrayList<>();
        boolean pre = false;
        for (String word : softdep.trim().split("\\s+", -1)) {
            if (word.endsWith(":")) {
                pre = word.equals("pre:");
            } else if (pre && !word.isEmpty()) {
                names.add(word);
            }
        }
        return names;
    }

    private static ByteBuffer section(String file, ByteBuffer elf, int table, int index) {
        int header = table + index * SECTION;
        long offset = elf.getLong(header + 24);
        long size = elf.getLong(header + 32);
        if (elf.getInt(header + 4) == SHT_NOBITS
                || offset < 0
                || size < 0
                || offset > elf.limit()
                || size > elf.limit() - offset) {
            throw damaged(file, "section " + index + " is not inside it");
        }
        return elf.slice((int) offset, (int) size);
    }

    private static boolean named(ByteBuffer strings, int offset) {
        byte[] wanted = ".modinfo\0".getBytes(StandardCharsets.ISO_8859_1);
        if (offset < 0 || offset > strings.limit() - wanted.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (strings.get(offset + i) != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    private static ImageException damaged(String file, String problem) {
        return new ImageException(
                "image-module", file + ": not a usable kernel module: " + problem, "unpack the kernel's package again");
    }
}
