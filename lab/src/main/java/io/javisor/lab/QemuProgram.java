package io.javisor.lab;

import io.javisor.boot.debian.DebianPackages;
import io.javisor.partition.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The QEMU that emulates labs. Before 8.1 its translator does not lock the code that it reads: code that another processor
 * changes at that moment (a kernel that patches itself, a JVM's compiler) may be kept as it was, and a lab then hangs or
 * crashes, once in many hours. Where the installed one is older, a newer one of the distribution is unpacked into the cache
 * and used instead, if it can be had; its libraries are those of the installed one.
 *
 * @param words how its command begins
 */
record QemuProgram(List<String> words) {
    private static final String NAME = "qemu-system-x86_64";
    private static final Pattern VERSION = Pattern.compile("version ([0-9]{1,4})\\.([0-9]{1,4})");

    /** 8.1: "accel/tcg: Always lock pages before translation". */
    private static final int SOUND = 801;

    QemuProgram {
        words = List.copyOf(words);
    }

    /** The QEMU to use, installed if there is none and we are root. */
    static QemuProgram find() {
        QemuProgram installed = new QemuProgram(
                List.of(Prerequisites.require(NAME, "qemu-system-x86").toString()));
        if (installed.version() >= SOUND || Prerequisites.find("apt-get") == null) {
            return installed;
        }
        try {
            QemuProgram newer = unpacked(DebianPackages.open()
                    .progress(line -> System.err.println("lab: " + line))
                    .unpackBackports("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios"));
            return newer.version() >= SOUND ? newer : installed;
        } catch (HypervisorException e) {
            // No network, no such packages: an old one serves, most of the time.
            System.err.println("lab: using the installed QEMU, whose translator has a known fault: " + e.getMessage());
            return installed;
        }
    }

    private static QemuProgram unpacked(Path root) {
        return new QemuProgram(List.of(
                "env",
                "QEMU_MODULE_DIR=" + root.resolve("usr/lib/x86_64-linux-gnu/qemu"),
                root.resolve("usr/bin/" + NAME).toString(),
                "-L",
                root.resolve("usr/share/qemu").toString(),
                "-L",
                root.resolve("usr/share/seabios").toString()));
    }

    /** Major times 100 plus minor; 0 if it does not run. */
    private int version() {
        try {
            List<String> command = new ArrayList<>(words);
            command.add("--version");
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            Matcher matcher = VERSION.matcher(said);
            return process.waitFor() == 0 && matcher.find()
                    ? Integer.parseInt(matcher.group(1)) * 100 + Integer.parseInt(matcher.group(2))
                    : 0;
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-unavailable", "interrupted while looking at QEMU", null, e);
        }
    }
}
