package io.javisor.lab.junit;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How events and requests look on the agent's streams: a byte that says what, then its fields; strings as a length and UTF-8. */
final class Wire {
    /** Request: run the tests with the IDs that follow. */
    static final int RUN = 'R';
    /** Request: tell the stacks of all threads. */
    static final int DUMP = 'D';

    private static final int MOST_BYTES = 16 << 20;
    private static final int MOST_ITEMS = 1 << 20;
    private static final int MOST_CHARS = 1 << 20;

    private Wire() {}

    static void write(DataOutputStream out, Event event) throws IOException {
        switch (event) {
            case Event.Ready _ -> out.writeByte('!');
            case Event.Registered e -> {
                out.writeByte('+');
                writeString(out, e.id());
                writeString(out, e.parent());
                writeString(out, e.displayName());
                writeString(out, e.legacyName());
                out.writeBoolean(e.test());
                out.writeBoolean(e.container());
                writeStrings(out, e.tags());
                writeOptional(out, e.className());
                writeOptional(out, e.methodName());
                writeString(out, e.parameterTypes());
            }
            case Event.Started e -> {
                out.writeByte('s');
                writeString(out, e.id());
            }
            case Event.Skipped e -> {
                out.writeByte('k');
                writeString(out, e.id());
                writeString(out, e.reason());
            }
            case Event.Finished e -> {
                out.writeByte('f');
                writeString(out, e.id());
                writeString(out, e.status());
                out.writeBoolean(e.thrown() != null);
                if (e.thrown() != null) {
                    e.thrown().write(out);
                }
            }
            case Event.Reported e -> {
                out.writeByte('r');
                writeString(out, e.id());
                List<String> flat = new ArrayList<>();
                e.entries().forEach((key, value) -> flat.addAll(List.of(key, value)));
                writeStrings(out, flat);
            }
            case Event.Output e -> {
                out.writeByte('o');
                out.writeBoolean(e.error());
                writeString(out, e.text());
            }
            case Event.Dump e -> {
                out.writeByte('d');
                writeString(out, e.text());
            }
            case Event.Done _ -> out.writeByte('.');
        }
        out.flush();
    }

    static Event read(DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        return switch (kind) {
            case '!' -> new Event.Ready();
            case '+' ->
                new Event.Registered(
                        readString(in),
                        readString(in),
                        readString(in),
                        readString(in),
                        in.readBoolean(),
                        in.readBoolean(),
                        readStrings(in),
                        readOptional(in),
                        readOptional(in),
                        readString(in));
            case 's' -> new Event.Started(readString(in));
            case 'k' -> new Event.Skipped(readString(in), readString(in));
            case 'f' -> new Event.Finished(readString(in), readString(in), in.readBoolean() ? Thrown.read(in) : null);
            case 'r' -> {
                String id = readString(in);
                List<String> flat = readStrings(in);
                Map<String, String> entries = new HashMap<>();
                for (int i = 0; i + 1 < flat.size(); i += 2) {
                    entries.put(flat.get(i), flat.get(i + 1));
                }
                yield new Event.Reported(id, entries);
            }
            case 'o' -> new Event.Output(in.readBoolean(), readString(in));
            case 'd' -> new Event.Dump(readString(in));
            case '.' -> new Event.Done();
            default ->
                throw new IOException(
                        "byte " + kind + " begins no event: something else wrote to the agent's standard output");
        };
    }

    static void writeStrings(DataOutputStream out, List<String> texts) throws IOException {
        out.writeInt(texts.size());
        for (String text : texts) {
            writeString(out, text);
        }
    }

    static List<String> readStrings(DataInputStream in) throws IOException {
        int count = readCount(in);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(readString(in));
        }
        return texts;
    }

    static void writeString(DataOutputStream out, String text) throws IOException {
        String kept = text.length() <= MOST_CHARS ? text : text.substring(0, MOST_CHARS) + "...";
        byte[] bytes = kept.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static String readString(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > MOST_BYTES) {
            throw new IOException("a string of " + length + " bytes");
        }
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new IOException("a string ends early");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static void writeOptional(DataOutputStream out, @Nullable String text) throws IOException {
        out.writeBoolean(text != null);
        if (text != null) {
            writeString(out, text);
        }
    }

    static @Nullable String readOptional(DataInputStream in) throws IOException {
        return in.readBoolean() ? readString(in) : null;
    }

    static int readCount(DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > MOST_ITEMS) {
            throw new IOException(count + " items");
        }
        return count;
    }
}
