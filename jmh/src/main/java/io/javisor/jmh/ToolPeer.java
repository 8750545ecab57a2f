package io.javisor.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A tool that is run once for each measurement and tells what it has measured. */
abstract class ToolPeer implements Peer {
    private static final long PATIENCE_SECONDS = 60;

    /** Runs a command and returns what it prints. */
    static String run(List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(command + " failed: " + said);
            }
            return said;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    command.getFirst() + " can't be run (Debian: apt install fio qemu-utils)", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(command + " was interrupted", e);
        }
    }

    /** The first number that follows a pattern. */
    static double number(String text, Pattern before) {
        Matcher matcher = before.matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + before + " in " + text);
        }
        return Double.parseDouble(matcher.group(1));
    }
}
