package io.javisor.storage.scsi;

import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.IoMemory;
import io.javisor.storage.fibrechannel.SoftwareSan;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** Another JVM that has a shared disk: it runs commands that it reads, a line each, and says what came of them. */
final class SharingProcess implements AutoCloseable {
    private final Process process;
    private final Writer to;
    private final BufferedReader from;

    private SharingProcess(Process process) {
        this.process = process;
        to = process.outputWriter();
        from = process.inputReader();
    }

    static SharingProcess start(Path file) {
        try {
            var started = new SharingProcess(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            classPath(),
                            SharingProcess.class.getName(),
                            file.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
            String first = started.hear();
            if (!"ready".equals(first)) {
                throw new IllegalStateException("the other process says " + first);
            }
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Also where tests run as modules, and this class is a patch of one. */
    private static String classPath() {
        String name = "/" + SharingProcess.class.getName().replace('.', '/') + ".class";
        String here = String.valueOf(SharingProcess.class.getResource(name));
        return String.join(
                File.pathSeparator,
                here.replace("file:", "").replace(name, ""),
                System.getProperty("jdk.module.path", ""),
                System.getProperty("java.class.path"));
    }

    /** Runs a command under an initiator's name; its status, or with sense data {@code 2 KEY/CODE}, and what it gave, in hexadecimal. */
    String run(String name, String cdb, String out) {
        tell(name + " " + cdb.replace(" ", "") + " " + (out.isEmpty() ? "-" : out));
        return hear();
    }

    /** Has an initiator write 1, 2, 3 and so on to the first block, until that is refused, which {@link #hear} tells. */
    void count(String name) {
        tell(name + " count -");
    }

    void tell(String line) {
        try {
            to.write(line + "\n");
            to.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String hear() {
        try {
            return String.valueOf(from.readLine());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long pid() {
        return process.pid();
    }

    /** Kills it (SIGKILL), if it is still there. */
    @Override
    public void close() {
        try {
            process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @SuppressWarnings("SystemOut") // a program's job
    public static void main(String[] arguments) throws IOException {
        PrintStream out = System.out;
        try (SoftwareSan san = SoftwareSan.of("san")) {
            LogicalUnit unit;
            try {
                unit = san.open("shared", Path.of(arguments[0]), DiskOptions.DEFAULT.withShared(true))
                        .unit();
            } catch (RuntimeException e) {
                out.println(e);
                return;
            }
            out.println("ready");
            Map<String, Initiator> initiators = new HashMap<>();
            var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
            for (String line; (line = in.readLine()) != null; ) {
                String[] words = line.split(" ", -1);
                try {
                    Initiator by = initiators.computeIfAbsent(words[0], name -> new Initiator(unit, name));
                    out.println(words[1].equals("count") ? counted(by) : done(by, words[1], words[2]));
                } catch (RuntimeException e) {
                    out.println(e);
                }
            }
        }
    }

    private static String counted(Initiator by) {
        long last = 0;
        while (true) {
            byte[] block = ByteBuffer.allocate(512).putLong(0, last + 1).array();
            ScsiResult result = by.tryOut("2A 00 00000000 00 0001 00", block);
            if (result.status() != 0) {
                return last + " " + text(result);
            }
            last++;
        }
    }

    private static String done(Initiator by, String cdb, String data) {
        if (!data.equals("-")) {
            return text(by.tryOut(cdb, HexFormat.of().parseHex(data)));
        }
        IoMemory memory = IoMemory.allocate(4096);
        ScsiResult result = by.nexus.execute(ScsiCommand.reading(Initiator.cdb(cdb), memory));
        return text(result)
                + " "
                + HexFormat.of().formatHex(memory.slice(0, result.transferred()).toByteArray());
    }

    private static String text(ScsiResult result) {
        Sense sense = result.sense();
        return result.status() + (sense == null ? "" : String.format(" %x/%04x", sense.key(), sense.code()));
    }
}
