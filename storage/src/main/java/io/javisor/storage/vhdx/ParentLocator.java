package io.javisor.storage.vhdx;

import io.javisor.storage.disk.DiskFormatException;
import io.javisor.storage.file.MsGuid;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Where a differencing disk's parent is (section 2.6.2.6): pairs of text.
 *
 * <pre>
 *   0 type GUID   18 pair count   20 pairs of 12 bytes:
 *      0 offset of the key   4 offset of the value   8 length of the key   10 length of the value     then UTF-16LE text
 * </pre>
 *
 * @param pairs keys and values
 */
record ParentLocator(Map<String, String> pairs) {
    static final String LINKAGE = "parent_linkage";
    static final String LINKAGE_2 = "parent_linkage2";
    static final String RELATIVE_PATH = "relative_path";
    static final String VOLUME_PATH = "volume_path";
    static final String ABSOLUTE_PATH = "absolute_win32_path";

    private static final UUID TYPE = UUID.fromString("B04AEFB7-D19E-4A81-B789-25B8E9445913");
    private static final int FIRST = 20;
    private static final int PAIR = 12;
    private static final int MOST_PAIRS = 64;

    ParentLocator {
        pairs = Map.copyOf(pairs);
    }

    static ParentLocator parse(String file, long at, byte[] item) {
        ByteBuffer in = Layout.little(item);
        if (item.length < FIRST) {
            throw new DiskFormatException(file, at, "a parent locator of " + item.length + " bytes");
        }
        UUID type = MsGuid.get(in, 0);
        if (!type.equals(TYPE)) {
            throw new DiskFormatException(file, at, "a parent locator of unknown type " + type);
        }
        int count = Short.toUnsignedInt(in.getShort(18));
        if (count > MOST_PAIRS || FIRST + count * PAIR > item.length) {
            throw new DiskFormatException(file, at + 18, "a parent locator with " + count + " pairs");
        }
        var pairs = new LinkedHashMap<String, String>();
        for (int i = 0; i < count; i++) {
            int pair = FIRST + i * PAIR;
            String key = text(file, at + pair, item, in.getInt(pair), in.getShort(pair + 8));
            String value = text(file, at + pair + 4, item, in.getInt(pair + 4), in.getShort(pair + 10));
            if (pairs.put(key, value) != null) {
                throw new DiskFormatException(file, at + pair, "a parent locator with a second " + key);
            }
        }
        if (!pairs.containsKey(LINKAGE)) {
            throw new DiskFormatException(file, at, "a parent locator without " + LINKAGE);
        }
        return new ParentLocator(pairs);
    }

    private static String text(String file, long at, byte[] item, int offset, short shortLength) {
        int length = Short.toUnsignedInt(shortLength);
        if (offset <= 0 || length == 0 || length % 2 != 0 || length > item.length - offset) {
            throw new DiskFormatException(
                    file,
                    at,
                    "text of " + length + " bytes at " + Integer.toUnsignedString(offset) + " of a parent locator of "
                            + item.length + " bytes");
        }
        String text = new String(item, offset, length, StandardCharsets.UTF_16LE);
        if (text.indexOf('\0') >= 0) {
            throw new DiskFormatException(file, at, "text with a NUL inside a parent locator");
        }
        return text;
    }

    /** Whether a disk with this data-write GUID is the parent that the child was made for. */
    boolean links(UUID dataWrite) {
        String wanted = MsGuid.inBraces(dataWrite);
        return !dataWrite.equals(MsGuid.NONE) && (wanted.equals(lower(LINKAGE)) || wanted.equals(lower(LINKAGE_2)));
    }

    private String lower(String key) {
        return pairs.getOrDefault(key, "").toLowerCase(Locale.ROOT);
    }

    /** The same with another value; its encoding has the same length if the values' lengths are the same. */
    ParentLocator with(String key, String value) {
        var changed = new LinkedHashMap<>(pairs);
        changed.put(key, value);
        return new ParentLocator(changed);
    }

    byte[] toByteArray() {
        int length = FIRST + pairs.size() * PAIR;
        for (var pair : pairs.entrySet()) {
            length += 2 * (pair.getKey().length() + pair.getValue().length());
        }
        byte[] bytes = new byte[length];
        ByteBuffer out = Layout.little(bytes);
        MsGuid.put(out, 0, TYPE);
        out.putShort(18, (short) pairs.size());
        int at = FIRST;
        int text = FIRST + pairs.size() * PAIR;
        // In order of the keys, so that a changed value stays where it was.
        for (String key : pairs.keySet().stream().sorted().toList()) {
            byte[] k = key.getBytes(StandardCharsets.UTF_16LE);
            byte[] v = pairs.getOrDefault(key, "").getBytes(StandardCharsets.UTF_16LE);
            out.putInt(at, text);
            out.putInt(at + 4, text + k.length);
            out.putShort(at + 8, (short) k.length);
            out.putShort(at + 10, (short) v.length);
            out.put(text, k);
            out.put(text + k.length, v);
            at += PAIR;
            text += k.length + v.length;
        }
        return bytes;
    }
}
