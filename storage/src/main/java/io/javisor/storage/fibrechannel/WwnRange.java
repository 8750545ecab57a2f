package io.javisor.storage.fibrechannel;

import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Gives out names from this host's range, as Hyper-V does: {@code C0:03:FF}, three bytes of the host, two bytes that count. What
 * was given to whom is kept in a file that all processes of a user share under a lock, so that two adapters never have one
 * name, and one adapter has the same each time. Safe from any thread.
 *
 * <pre>
 *  file:  first line  host bytes, 6 hexadecimal digits
 *         others      number of the adapter, 0 to 32,766, and whose it is
 * </pre>
 */
public final class WwnRange {
    /** The node name of all adapters whose names are given out here, as on Hyper-V. */
    public static final Wwn NODE = new Wwn(0xC003_FF00_00FF_FF00L);

    private static final long PREFIX = 0xC003FFL << 40;
    private static final int MOST = 32_767;
    private static final int MOST_BYTES = 16 << 20;

    private final Path file;

    /** @param folder where the file is, or will be made */
    public WwnRange(Path folder) {
        file = folder.resolve("wwn");
    }

    /** The range of this host and user: {@code $XDG_STATE_HOME/javisor}, else {@code ~/.local/state/javisor}. */
    public static WwnRange ofHost() {
        return new WwnRange(folder(System.getenv(), System.getProperty("user.home", "/")));
    }

    static Path folder(Map<String, String> environment, String home) {
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        return state.startsWith("/") ? Path.of(state, "javisor") : Path.of(home, ".local", "state", "javisor");
    }

    /**
     * The names of an adapter: those that it had before, or the next that are free.
     *
     * @param adapter whose they are, as in {@code "db-01/fc0"}
     * @throws HypervisorException with code {@code fc-names} if the file can't be used, or all names are given out
     */
    public PortNames names(String adapter) {
        String key = URLEncoder.encode(adapter, StandardCharsets.UTF_8);
        synchronized (WwnRange.class) { // a lock on a file holds off other processes only
            try {
                Files.createDirectories(file.getParent());
                try (FileChannel channel = FileChannel.open(
                                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                        var _ = channel.lock()) {
                    return find(channel, key);
                }
            } catch (IOException e) {
                throw refused(file + ": " + e, "make the folder writable, or give the adapter names of your own", e);
            }
        }
    }

    private PortNames find(FileChannel channel, String key) throws IOException {
        if (channel.size() > MOST_BYTES) {
            throw new IOException("larger than " + MOST_BYTES + " bytes");
        }
        var bytes = ByteBuffer.allocate((int) channel.size());
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
        String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
        if (text.isEmpty()) {
            text = newHost();
            append(channel, text);
        }
        Set<Integer> taken = new HashSet<>();
        List<String> lines = text.lines().toList();
        long host = number(lines.getFirst(), 16, 0xFFFFFF);
        for (String line : lines.subList(1, lines.size())) {
            String[] words = line.split(" ", 2);
            int index = (int) number(words[0], 10, MOST - 1);
            if (words.length == 2 && words[1].equals(key)) {
                return pair(host, index);
            }
            taken.add(index);
        }
        for (int index = 0; index < MOST; index++) {
            if (!taken.contains(index)) {
                append(channel, (text.endsWith("\n") ? "" : "\n") + index + " " + key + "\n");
                return pair(host, index);
            }
        }
        throw refused(
                "all " + MOST + " pairs of names are given out",
                "take lines of machines that are gone out of " + file,
                null);
    }

    /** Bytes that other hosts hardly have. Those of the node name are left out, so that no port has its name. */
    private static String newHost() {
        int host;
        do {
            host = (int) UUID.randomUUID().getMostSignificantBits() & 0xFFFFFF;
        } while (host == 0x0000FF);
        return String.format("%06x%n", host);
    }

    private static PortNames pair(long host, int index) {
        long first = PREFIX | host << 16 | 2L * index;
        return new PortNames(NODE, new Wwn(first), NODE, new Wwn(first + 1));
    }

    private static void append(FileChannel channel, String text) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        long at = channel.size();
        while (out.hasRemaining()) {
            at += channel.write(out, at);
        }
        channel.force(false);
    }

    private static long number(String text, int radix, long most) throws IOException {
        try {
            long value = Long.parseLong(text, radix);
            if (value >= 0 && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IOException("\"" + text + "\" is not in 0.." + Long.toString(most, radix));
    }

    private static HypervisorException refused(
            String why, String remedy, @org.jspecify.annotations.Nullable Throwable cause) {
        return new HypervisorException("fc-names", "no Fibre Channel names: " + why, null, 0, remedy, cause);
    }
}
