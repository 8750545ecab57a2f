package io.javisor.boot.acpi;

/**
 * ACPI Machine Language (ACPI 6.5 section 20.2): each method returns the bytes of one term, of which terms are made. Only what
 * the DSDT needs is here.
 */
final class Aml {
    /** The operand {@code Local0}. */
    static final byte[] LOCAL0 = {0x60};

    /** Where a result goes that nobody wants. */
    private static final int NULL_NAME = 0x00;

    private static final int EXTENDED = 0x5B;

    /** Address spaces of an operation region. */
    static final int SYSTEM_IO = 1;

    private Aml() {}

    /** A name path: {@code "_HID"}, {@code "\\_S5_"}, {@code "\\_SB_.PWRB"}. Each name has four characters. */
    static byte[] path(String path) {
        var b = new Bytes();
        String rest = path;
        if (rest.startsWith("\\")) {
            b.u8('\\');
            rest = rest.substring(1);
        }
        String[] names = rest.split("\\.", -1);
        for (String name : names) {
            if (!name.matches("[A-Z_][A-Z0-9_]{3}")) {
                throw new IllegalArgumentException("not an ACPI path: " + path);
            }
        }
        if (names.length == 2) {
            b.u8(0x2E);
        } else if (names.length > 2) {
            b.u8(0x2F).u8(names.length);
        }
        for (String name : names) {
            b.ascii(name);
        }
        return b.toArray();
    }

    /** A number, in the shortest form. */
    static byte[] integer(long value) {
        var b = new Bytes();
        if (value == 0 || value == 1) {
            b.u8((int) value);
        } else if (value >>> 8 == 0) {
            b.u8(0x0A).u8((int) value);
        } else if (value >>> 16 == 0) {
            b.u8(0x0B).u16((int) value);
        } else if (value >>> 32 == 0) {
            b.u8(0x0C).u32((int) value);
        } else {
            b.u8(0x0E).u64(value);
        }
        return b.toArray();
    }

    static byte[] string(String text) {
        if (!text.chars().allMatch(c -> c > 0 && c < 0x80)) {
            throw new IllegalArgumentException("ACPI strings are ASCII without NUL: " + text);
        }
        return new Bytes().u8(0x0D).ascii(text).u8(0).toArray();
    }

    /** An EISA ID such as PNP0501, compressed (ACPI 6.5 section 19.3.4). */
    static byte[] eisaId(String id) {
        int number = Integer.parseInt(id.substring(3), 16);
        int value = ((id.charAt(0) - 0x40) & 0x1F) << 26
                | ((id.charAt(1) - 0x40) & 0x1F) << 21
                | ((id.charAt(2) - 0x40) & 0x1F) << 16
                | number;
        return new Bytes().u8(0x0C).u32(Integer.reverseBytes(value)).toArray();
    }

    static byte[] pack(byte[]... elements) {
        return block(new Bytes().u8(0x12), new Bytes().u8(elements.length), elements);
    }

    static byte[] buffer(byte[] bytes) {
        return block(new Bytes().u8(0x11), new Bytes().put(integer(bytes.length)), bytes);
    }

    static byte[] name(String name, byte[] object) {
        return new Bytes().u8(0x08).put(path(name)).put(object).toArray();
    }

    static byte[] scope(String path, byte[]... terms) {
        return block(new Bytes().u8(0x10), new Bytes().put(path(path)), terms);
    }

    static byte[] device(String name, byte[]... terms) {
        return block(new Bytes().u8(EXTENDED).u8(0x82), new Bytes().put(path(name)), terms);
    }

    static byte[] method(String name, int arguments, boolean serialized, byte[]... terms) {
        return block(new Bytes().u8(0x14), new Bytes().put(path(name)).u8(arguments | (serialized ? 0x08 : 0)), terms);
    }

    static byte[] returns(byte[] value) {
        return new Bytes().u8(0xA4).put(value).toArray();
    }

    static byte[] store(byte[] from, byte[] to) {
        return new Bytes().u8(0x70).put(from).put(to).toArray();
    }

    static byte[] and(byte[] a, byte[] b) {
        return new Bytes().u8(0x7B).put(a).put(b).u8(NULL_NAME).toArray();
    }

    static byte[] when(byte[] condition, byte[]... terms) {
        return block(new Bytes().u8(0xA0), new Bytes().put(condition), terms);
    }

    static byte[] notify(String path, int value) {
        return new Bytes().u8(0x86).put(path(path)).put(integer(value)).toArray();
    }

    static byte[] region(String name, int space, long offset, long length) {
        return new Bytes()
                .u8(EXTENDED)
                .u8(0x80)
                .put(path(name))
                .u8(space)
                .put(integer(offset))
                .put(integer(length))
                .toArray();
    }

    /** A field of one byte-wide register, of which bits that are not written become 0. */
    static byte[] byteField(String region, String name, int bits) {
        byte[] field = new Bytes().ascii(name).put(packageLength(bits, false)).toArray();
        int flags = 0x01 | 2 << 5; // ByteAcc, NoLock, WriteAsZeros
        return block(
                new Bytes().u8(EXTENDED).u8(0x81), new Bytes().put(path(region)).u8(flags), field);
    }

    private static byte[] block(Bytes opcode, Bytes head, byte[]... terms) {
        for (byte[] term : terms) {
            head.put(term);
        }
        byte[] body = head.toArray();
        return opcode.put(packageLength(body.length, true)).put(body).toArray();
    }

    /** Section 20.2.4; the length counts its own bytes if {@code inclusive}. */
    static byte[] packageLength(int length, boolean inclusive) {
        for (int extra = 0; extra <= 3; extra++) {
            int value = inclusive ? length + extra + 1 : length;
            if (extra == 0 ? value < 1 << 6 : value < 1 << (4 + 8 * extra)) {
                var b = new Bytes().u8(extra == 0 ? value : extra << 6 | (value & 0xF));
                for (int i = 0; i < extra; i++) {
                    b.u8(value >>> (4 + 8 * i));
                }
                return b.toArray();
            }
        }
        throw new IllegalArgumentException("AML term of " + length + " bytes is longer than 256 MiB");
    }
}
