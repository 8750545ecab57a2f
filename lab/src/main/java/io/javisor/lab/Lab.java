package io.javisor.lab;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A running lab: a machine of its own, emulated, with a stock kernel whose {@code /dev/kvm} has all that a data centre's
 * hosts have. It sees this machine's files at their own paths; what commands write there stays in the lab's memory and
 * ends with it. Safe for use by several threads. Ends when closed, and with this JVM, however that ends.
 *
 * <pre>{@code
 * try (Lab lab = Lab.start(LabSpec.standard())) {
 *     LabResult result = lab.run("ls", "-l", "/dev/kvm");
 * }
 * }</pre>
 */
public final class Lab implements AutoCloseable {
    /** Commands at once. */
    static final int SLOTS = 8;

    private static final int TAIL_BYTES = 4096;
    private static final Duration SLOT_WAIT = Duration.ofMinutes(5);

    private final LabSpec spec;
    private final Path folder;
    private final Path console;
    private final Control control;
    private final Qemu qemu;
    private final CountDownLatch ready = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final BlockingQueue<Integer> free = new ArrayBlockingQueue<>(SLOTS);
    private final Map<Integer, LabProcess> running = new ConcurrentHashMap<>();

    private Lab(LabSpec spec, Path folder, Path console, Control control, Qemu qemu) {
        this.spec = spec;
        this.folder = folder;
        this.console = console;
        this.control = control;
        this.qemu = qemu;
        for (int slot = 0; slot < SLOTS; slot++) {
            free.add(slot);
        }
    }

    /**
     * Boots a lab and waits until it takes commands.
     *
     * @throws LabException if this machine lacks something that the lab needs and cannot get it, or the lab does not come up
     */
    public static Lab start(LabSpec spec) {
        for (Path writable : spec.writable()) {
            if (!Files.isDirectory(writable)) {
                throw new LabException(
                        "lab-unavailable", "the folder to be writable is not there: " + writable, null, null);
            }
        }
        QemuProgram program = QemuProgram.find();
        HostImage image = HostImage.of(spec.kernel());
        try {
            // The path of a socket has at most 107 bytes, so a deep java.io.tmpdir will not do.
            Path folder = Files.createTempDirectory(
                    Path.of("/tmp"), "javisor-lab-" + ProcessHandle.current().pid() + "-");
            Path console = spec.console() == null ? folder.resolve("console.log") : spec.console();
            if (console.getParent() != null) {
                Files.createDirectories(console.getParent());
            }
            Control control = new Control(folder.resolve("control"));
            Qemu qemu = new Qemu(folder, QemuCommand.of(program, spec, image, folder, SLOTS, console));
            Lab lab = new Lab(spec, folder, console, control, qemu);
            lab.boot(image);
            return lab;
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "the lab cannot be started: " + e, null, e);
        }
    }

    private void boot(HostImage image) {
        control.listen(() -> prepare(image), this::heard, this::lost);
        try {
            long deadline = System.nanoTime() + spec.bootTimeout().toNanos();
            while (!ready.await(100, TimeUnit.MILLISECONDS)) {
                boolean late = System.nanoTime() - deadline > 0;
                if (late || !qemu.isAlive()) {
                    LabException failure = new LabException("lab-boot", bootFailure(late), null, null);
                    close();
                    throw failure;
                }
            }
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new LabException("lab-boot", "interrupted while the lab booted", null, e);
        }
    }

    /** What the agent does before it says that it is ready. */
    private void prepare(HostImage image) {
        String release = LabCommand.quote(image.release());
        control.send("do $b mkdir -p /lib/modules/" + release + "; $b mount --bind "
                + LabCommand.quote(image.modules().toString()) + " /lib/modules/" + release);
        for (int i = 0; i < spec.writable().size(); i++) {
            control.send("do $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=mmap "
                    + QemuCommand.writableTag(i) + " "
                    + LabCommand.quote(spec.writable().get(i).toString()));
        }
        control.send("ready?");
    }

    private String bootFailure(boolean late) {
        String what = late
                ? "the lab is not up after " + spec.bootTimeout().toSeconds() + " s"
                : "the lab ended while booting";
        return what + "; QEMU said: \"" + qemu.messages() + "\"; its console ends with:\n" + consoleTail();
    }

    private void heard(String line) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "ready" -> ready.countDown();
            case "exit" -> {
                LabProcess process = running.get(Integer.parseInt(words[1]));
                if (process != null) {
                    process.exited(Integer.parseInt(words[2]));
                }
            }
            default -> throw new LabException("lab-ended", "the lab's agent said \"" + line + "\"", null, null);
        }
    }

    private void lost() {
        ended.countDown();
        for (LabProcess process : running.values()) {
            process.lost(new LabException(
                    "lab-ended",
                    "the lab ended while a command ran; QEMU said: \"" + qemu.messages()
                            + "\"; its console ends with:\n" + consoleTail(),
                    null,
                    null));
        }
    }

    /**
     * Starts a command; waits if {@value #SLOTS} run already.
     *
     * @throws LabException if the lab has ended, or no place becomes free within 5 minutes
     */
    public LabProcess start(LabCommand command) {
        try {
            Integer slot = free.poll(SLOT_WAIT.toMillis(), TimeUnit.MILLISECONDS);
            if (slot == null) {
                throw new LabException(
                        "lab-busy",
                        SLOTS + " commands run in the lab and none ended within " + SLOT_WAIT,
                        "read both output streams of each to their ends, or close them",
                        null);
            }
            return start(slot, command);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-busy", "interrupted while waiting for a place in the lab", null, e);
        }
    }

    private LabProcess start(Integer slot, LabCommand command) {
        if (!isAlive()) {
            free.add(slot);
            throw new LabException("lab-ended", "the lab has ended", null, null);
        }
        LabProcess process;
        try {
            process = new LabProcess(slot, folder, control, command, () -> {
                running.remove(slot);
                free.add(slot);
            });
        } catch (IOException e) {
            free.add(slot);
            throw new LabException("lab-ended", "the lab takes no command: " + e, null, e);
        }
        running.put(slot, process);
        if (!isAlive()) {
            // It ended meanwhile, and may have told all others.
            lost();
        }
        try {
            process.begin();
            return process;
        } catch (IOException e) {
            process.discard();
            throw new LabException("lab-ended", "the lab takes no command: " + e, null, e);
        }
    }

    /** Runs a program to its end, without input. */
    public LabResult run(String... words) {
        return run(LabCommand.of(words));
    }

    /** Runs a command to its end, without input. */
    public LabResult run(LabCommand command) {
        LabProcess process = start(command);
        try {
            process.getOutputStream().close();
            CompletableFuture<String> error = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> {
                try {
                    error.complete(text(process.getErrorStream()));
                } catch (IOException e) {
                    error.completeExceptionally(e);
                }
            });
            String output = text(process.getInputStream());
            return new LabResult(process.waitFor(), output, error.get());
        } catch (InterruptedException e) {
            process.destroyForcibly();
            process.abandon();
            Thread.currentThread().interrupt();
            throw new LabException("lab-ended", "interrupted while a command ran in the lab", null, e);
        } catch (IOException | ExecutionException e) {
            process.destroyForcibly();
            process.abandon();
            throw new LabException("lab-ended", "the lab lost a command: " + command.words(), null, e);
        }
    }

    private static String text(InputStream stream) throws IOException {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }

    /** What it looks like. */
    public LabSpec spec() {
        return spec;
    }

    /** Whether it still runs. */
    public boolean isAlive() {
        return ended.getCount() != 0;
    }

    /** The end of what its kernel wrote to its console. */
    public String consoleTail() {
        try {
            if (!Files.exists(console)) {
                return "";
            }
            byte[] all = Files.readAllBytes(console);
            int from = Math.max(0, all.length - TAIL_BYTES);
            return new String(all, from, all.length - from, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "(its console cannot be read: " + e.getMessage() + ")";
        }
    }

    /** Ends it, and all that runs in it, within a few seconds. Closing twice is fine. */
    @Override
    public void close() {
        if (!spec.writable().isEmpty() && isAlive()) {
            // Lets the kernel write back what it holds of the host's files.
            control.send("off");
            try {
                if (!qemu.awaitEnd(5000)) {
                    control.send("off");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        qemu.close();
        control.close();
    }
}
