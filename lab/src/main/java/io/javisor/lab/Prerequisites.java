package io.javisor.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the machine must have for a lab: QEMU from its distribution. Installs it where it may, else says how to. */
final class Prerequisites {
    private Prerequisites() {}

    /** The path of a program, whose package is installed if it is missing and we are root. */
    static Path require(String program, String debianPackage) {
        Path found = find(program);
        if (found != null) {
            return found;
        }
        List<String> install = List.of("apt-get", "install", "-y", "--no-install-recommends", debianPackage);
        String command = String.join(" ", install);
        if (!"root".equals(System.getProperty("user.name")) || find("apt-get") == null) {
            throw new LabException(
                    "lab-unavailable", program + " is not installed", "install it: sudo " + command, null);
        }
        if (run(install) != null) {
            // Lists that are missing or too old name packages that are not there.
            run(List.of("apt-get", "-qq", "update"));
            String complaint = run(install);
            if (complaint != null) {
                throw new LabException("lab-unavailable", "\"" + command + "\" failed:\n" + complaint, null, null);
            }
        }
        found = find(program);
        if (found == null) {
            throw new LabException("lab-unavailable", "\"" + command + "\" brought no " + program, null, null);
        }
        return found;
    }

    /** Runs a program of apt: null if it did its work, else what it said. */
    private static @Nullable String run(List<String> words) {
        try {
            ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
            builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
            Process apt = builder.start();
            apt.getOutputStream().close();
            String said = new String(apt.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return apt.waitFor() == 0 ? null : said;
        } catch (IOException e) {
            return e.toString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-unavailable", "interrupted while installing " + words.getLast(), null, e);
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
