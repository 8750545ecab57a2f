package io.javisor.storage.npiv;

import io.javisor.linux.HostFile;
import io.javisor.linux.LinuxException;
import io.javisor.storage.fibrechannel.Wwn;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the kernel shows and takes in files: things come and go while one looks, so what is not there is empty. */
final class Sysfs {
    private Sysfs() {}

    /** A file's line. */
    static String text(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return "";
        }
    }

    static long number(Path file, long otherwise) {
        String text = text(file);
        return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : otherwise;
    }

    static Optional<Wwn> name(Path file) {
        try {
            return Optional.of(Wwn.of(text(file)));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Names in a folder, sorted. */
    static List<String> names(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of();
        }
    }

    /** The first name in a folder. */
    static @Nullable String first(Path folder) {
        List<String> all = names(folder);
        return all.isEmpty() ? null : all.getFirst();
    }

    /**
     * Has the kernel do something.
     *
     * @throws LinuxException as it refuses
     */
    static void write(Path file, String text) {
        try (HostFile to = HostFile.open(file, HostFile.WRITE_ONLY);
                Arena arena = Arena.ofConfined()) {
            byte[] bytes = (text + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            to.write(arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, bytes), 0);
        } catch (LinuxException e) {
            throw new LinuxException(e.call(), file + ", \"" + text + "\"", e.errno());
        }
    }
}
