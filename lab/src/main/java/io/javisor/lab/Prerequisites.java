package io.javisor.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What the machine must have for a lab: QEMU from its distribution. Installs it where it may, else says how to. */
final class Prerequisites {
    static final String QEMU = "qemu-system-x86_64";

    private static final List<String> INSTALL =
            List.of("apt-get", "install", "-y", "--no-install-recommends", "qemu-system-x86");

    private Prerequisites() {}

    /** The path of QEMU, which is installed if it is missing and we are root. */
    static Path qemu() {
        Path found = find(QEMU);
        if (found != null) {
            return found;
        }
        String command = String.join(" ", INSTALL);
        if (!"root".equals(System.getProperty("user.name")) || find("apt-get") == null) {
            throw new LabException("lab-unavailable", QEMU + " is not installed", "install it: sudo " + command, null);
        }
        install(command);
        found = find(QEMU);
        if (found == null) {
            throw new LabException("lab-unavailable", "\"" + command + "\" brought no " + QEMU, null, null);
        }
        return found;
    }

    private static void install(String command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(INSTALL).redirectErrorStream(true);
            builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
            Process apt = builder.start();
            apt.getOutputStream().close();
            String said = new String(apt.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!apt.waitFor(10, TimeUnit.MINUTES) || apt.exitValue() != 0) {
                throw new LabException(
                        "lab-unavailable",
                        "\"" + command + "\" failed:\n" + said,
                        "run \"apt-get update\" first?",
                        null);
            }
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "cannot run \"" + command + "\"", null, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-unavailable", "interrupted while installing QEMU", null, e);
        }
    }

    /** The first program of that name on the PATH or in the system's own folders, or null. */
    static @Nullable Path find(String program) {
        String path = System.getenv("PATH");
        for (String folder : ((path == null ? "" : path + ":") + "/usr/sbin:/usr/bin:/sbin:/bin").split(":", -1)) {
            Path candidate = Path.of(folder.isEmpty() ? "." : folder, program);
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return candidate.toAbsolutePath();
            }
        }
        return null;
    }
}
