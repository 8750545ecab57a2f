package io.javisor.boot.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A program that is run to its end, with limits on time and output. */
final class Command {
    private static final int MAX_OUTPUT = 16 << 20;

    private Command() {}

    /** Exit code, standard output, standard error; a code of 124 means that its time was up, 127 that there is no such program. */
    record Result(int code, String out, String err) {
        /** The end of what it said, for an error's message. */
        String complaint() {
            String text = (err.isBlank() ? out : err).strip();
            return text.length() > 600 ? "..." + text.substring(text.length() - 600) : text;
        }
    }

    static Result run(@Nullable Path folder, long seconds, List<String> command) {
        Path out = null;
        Path err = null;
        try {
            out = Files.createTempFile("javisor-", ".out");
            err = Files.createTempFile("javisor-", ".err");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().put("LC_ALL", "C.UTF-8");
            builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
            if (folder != null) {
                builder.directory(folder.toFile());
            }
            Process process;
            try {
                process = builder.start();
            } catch (IOException e) {
                return new Result(127, "", e.getMessage() == null ? "cannot start" : e.getMessage());
            }
            int code;
            try {
                code = process.waitFor(seconds, TimeUnit.SECONDS) ? process.exitValue() : 124;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new DebianException("debian-fetch", "interrupted in: " + String.join(" ", command), null, e);
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            return new Result(code, text(out), text(err));
        } catch (IOException e) {
            throw new DebianException("debian-fetch", "cannot run: " + String.join(" ", command), null, e);
        } finally {
            delete(out);
            delete(err);
        }
    }

    private static String text(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8);
        }
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // A stray empty file in the temporary folder.
        }
    }
}
