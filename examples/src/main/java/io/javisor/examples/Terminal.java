package io.javisor.examples;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The caller's terminal, with keys passed on one by one while a guest has it. A pipe or a file stays as it is. */
final class Terminal implements AutoCloseable {
    private final @Nullable String saved;

    private Terminal(@Nullable String saved) {
        this.saved = saved;
    }

    /** Takes the terminal over, if stdin is one. Control-C still ends javisor. */
    static Terminal raw() {
        String settings = stty("-g");
        if (settings != null) {
            stty("-icanon", "-echo", "-icrnl", "min", "1", "time", "0");
        }
        return new Terminal(settings);
    }

    InputStream input() {
        return System.in;
    }

    @Override
    public void close() {
        if (saved != null) {
            stty(saved);
        }
    }

    private static @Nullable String stty(String... arguments) {
        List<String> command = new ArrayList<>(List.of("stty"));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String text =
                    new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII);
            return process.waitFor() == 0 ? text.trim() : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
