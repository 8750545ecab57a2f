package io.javisor.boot.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** What a busybox can do, as it says itself. */
final class Busybox {
    private static final Pattern COMMAND = Pattern.compile("(usr/)?s?bin/[A-Za-z0-9_.\\[-]{1,40}");
    private static final int MAX_OUTPUT = 1 << 16;

    private Busybox() {}

    /** Paths of its commands, such as bin/ls, without busybox itself. */
    static List<String> commands(Path busybox) {
        String output;
        try {
            Process process = new ProcessBuilder(List.of(busybox.toString(), "--list-full"))
                    .redirectErrorStream(true)
                    .start();
            try {
                process.getOutputStream().close();
                output = new String(process.getInputStream().readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8);
                if (!process.waitFor(10, TimeUnit.SECONDS) || process.exitValue() != 0) {
                    throw new IOException("it answered " + ImageException.printable(output));
                }
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw notBusybox(busybox, ImageException.reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw notBusybox(busybox, "interrupted");
        }
        List<String> commands = output.lines()
                .filter(line -> COMMAND.matcher(line).matches() && !line.equals("bin/busybox"))
                .sorted()
                .toList();
        if (!commands.contains("bin/sh")) {
            throw notBusybox(busybox, "no bin/sh among its commands");
        }
        return commands;
    }

    private static ImageException notBusybox(Path busybox, String problem) {
        return new ImageException(
                "image-tool",
                busybox + " --list-full cannot be run: " + problem,
                "name a static x86-64 busybox (Debian: package busybox-static)");
    }
}
