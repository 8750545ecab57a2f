package io.javisor.api.exec;

import io.javisor.api.exec.ShellSession.Ending;
import io.javisor.devices.ByteSink;
import io.javisor.devices.Serial16550;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.partition.state.Stateful;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs programs in a guest, one after another, through the shell on a serial port. Safe from any thread: callers queue in
 * order, and wait friendly to virtual threads. It lives as long as one run of the machine.
 */
public final class Exec implements Stateful, AutoCloseable {
    /** How long a call waits for a shell to be there. */
    private static final long SHELL_PATIENCE = TimeUnit.SECONDS.toNanos(30);

    /** How long a killed program may take to be gone, once the guest has heard of it. */
    private static final long KILL_PATIENCE = TimeUnit.SECONDS.toNanos(20);

    private static final long CENTURY = Duration.ofDays(36_500).toNanos();

    private final String name;
    private final Supplier<String> ending;
    private final long shellPatience;
    private final Inbox inbox = new Inbox();
    private final ReentrantLock lock = new ReentrantLock(true);
    private final FrameReader frames = new FrameReader(inbox);
    private volatile @Nullable ShellSession session;

    /**
     * @param name of the machine, for error messages
     * @param ending asked, once the run is over, how it ended; for the error that callers get then
     */
    public Exec(String name, Supplier<String> ending) {
        this(name, ending, SHELL_PATIENCE);
    }

    Exec(String name, Supplier<String> ending, long shellPatienceNanos) {
        this.name = name;
        this.ending = ending;
        this.shellPatience = shellPatienceNanos;
    }

    /** Where the serial port's output goes. */
    public ByteSink sink() {
        return inbox::write;
    }

    /** Gives it the port that the guest's shell is on; once, before the guest runs. */
    public void connect(Serial16550 port) {
        connect(new GuestLine() {
            @Override
            public int send(byte[] bytes, int offset, int length, long timeoutNanos) throws InterruptedException {
                return port.send(bytes, offset, length, timeoutNanos);
            }

            @Override
            public int unread() {
                return port.unread();
            }
        });
    }

    void connect(GuestLine line) {
        session = new ShellSession(line, frames);
    }

    /**
     * Waits until a shell answers, so that {@link #run} works.
     *
     * @return false if the time was up first
     * @throws ExecException if the machine's run is over, the shell can't work, or the caller was interrupted
     */
    public boolean ready(Duration timeout) {
        long deadline = System.nanoTime() + Math.min(CENTURY, saturated(timeout));
        try {
            if (!lock.tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return false;
            }
            try {
                return connected().establish(deadline);
            } finally {
                lock.unlock();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (FrameReader.LineClosedException e) {
            throw over(e);
        }
    }

    /**
     * Runs a program and waits for its end. What it has left in the background goes on.
     *
     * @throws ExecException if it could not be run to its end; the code says why
     */
    public ExecResult run(ExecRequest request) {
        try {
            lock.lockInterruptibly();
            try {
                return runLocked(connected(), request);
            } finally {
                lock.unlock();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (FrameReader.LineClosedException e) {
            throw over(e);
        }
    }

    private ExecResult runLocked(ShellSession shell, ExecRequest request) throws InterruptedException {
        long number = start(shell, request);
        long begun = System.nanoTime();
        boolean timedOut = false;
        Ending ending;
        try {
            ShellSession.Wait how = shell.awaitDone(number, begun + Math.min(CENTURY, saturated(request.timeout())));
            if (how == ShellSession.Wait.TIME_UP) {
                timedOut = true;
                shell.kill();
                how = shell.awaitDone(number, System.nanoTime() + KILL_PATIENCE);
            }
            if (how != ShellSession.Wait.DONE) {
                shell.lose();
                throw timedOut
                        ? timeout(request, null, "; the guest did not confirm that it was killed")
                        : lost("went away while a program ran", shell);
            }
            ending = shell.ending(number);
        } catch (InterruptedException e) {
            abandon(shell);
            throw e;
        }
        Duration time = Duration.ofNanos(System.nanoTime() - begun);
        if (ending == null) {
            shell.lose();
            throw lost("sent an end of a program that makes no sense", shell);
        }
        return collect(shell, request, ending, time, timedOut);
    }

    /** Brings a program into the guest and starts it. Tries a second time only as long as nothing can have been run. */
    private long start(ShellSession shell, ExecRequest request) throws InterruptedException {
        String script = ShellScript.program(request);
        byte[] input = request.stdinShared();
        long number = shell.nextSequence();
        for (int attempt = 0; attempt < 2; attempt++) {
            if (!shell.establish(System.nanoTime() + shellPatience)) {
                throw new ExecException(
                        "exec-no-shell",
                        "no shell answered on the second serial port of \"" + name + "\" within "
                                + TimeUnit.NANOSECONDS.toSeconds(shellPatience) + " s" + evidence(shell),
                        "start one there, for example: setsid sh </dev/ttyS1 >/dev/ttyS1 2>&1",
                        null,
                        null);
            }
            try {
                if (shell.put('i', input) && shell.start(number, script, input.length > 0)) {
                    return number;
                }
                shell.lose();
            } catch (InterruptedException e) {
                abandon(shell);
                throw e;
            }
        }
        throw lost("took a program twice and did not start it", shell);
    }

    private ExecResult collect(ShellSession shell, ExecRequest request, Ending ending, Duration time, boolean timedOut)
            throws InterruptedException {
        var out = new Output(request.stdoutTo(), request.outputLimit());
        var err = new Output(request.stderrTo(), request.outputLimit());
        boolean whole;
        try {
            whole = fetch(shell, 'o', ending.outSize(), ending.out(), out)
                    && fetch(shell, 'e', ending.errSize(), ending.err(), err);
            if (whole && ending.outSize() + ending.errSize() > ShellScript.INLINE) {
                shell.forget();
            }
        } catch (InterruptedException e) {
            shell.lose();
            throw e;
        } catch (IOException e) {
            throw new ExecException(
                    "exec-output", "could not pass a program's output on: " + e.getMessage(), null, null, e);
        }
        var result = new ExecResult(ending.exitCode(), out.bytes(), err.bytes(), time, timedOut);
        if (!whole) {
            shell.lose();
        }
        if (timedOut) {
            throw timeout(request, result, "");
        }
        if (!whole) {
            throw new ExecException(
                    "exec-shell-lost", "the guest's shell went away while its output was read", null, result, null);
        }
        if (out.cut() || err.cut()) {
            throw new ExecException(
                    "exec-output-limit",
                    "program printed " + ending.outSize() + " bytes to stdout and " + ending.errSize()
                            + " to stderr; the limit is " + request.outputLimit(),
                    "raise outputLimit, or send the output to a stream",
                    result,
                    null);
        }
        return result;
    }

    private static boolean fetch(ShellSession shell, char file, long size, byte[] inline, Output to)
            throws IOException, InterruptedException {
        if (inline.length == size) {
            to.add(inline);
            return true;
        }
        long wanted = Math.min(size, to.room());
        for (long at = 0; at < wanted; at += ShellScript.GET_BLOCK) {
            byte[] block = shell.get(file, Math.toIntExact(at / ShellScript.GET_BLOCK), (int)
                    Math.min(ShellScript.GET_BLOCK, size - at));
            if (block == null) {
                return false;
            }
            to.add(block);
        }
        to.cutIf(wanted < size);
        return true;
    }

    /** An output of a program on its way to the result or to a stream. */
    private static final class Output {
        private final @Nullable OutputStream to;
        private final int limit;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private boolean cut;

        Output(@Nullable OutputStream to, int limit) {
            this.to = to;
            this.limit = limit;
        }

        long room() {
            // A guest may claim any size; blocks are numbered by an int.
            return to == null ? limit : (long) Integer.MAX_VALUE * ShellScript.GET_BLOCK;
        }

        void add(byte[] bytes) throws IOException {
            if (to != null) {
                to.write(bytes);
                return;
            }
            int n = Math.min(bytes.length, limit - kept.size());
            kept.write(bytes, 0, n);
            cut |= n < bytes.length;
        }

        void cutIf(boolean more) {
            cut |= more;
        }

        boolean cut() {
            return cut;
        }

        byte[] bytes() {
            return kept.toByteArray();
        }
    }

    /** The caller gives up: the program is killed, and the shell has to be won again. */
    private static void abandon(ShellSession shell) {
        shell.lose();
        try {
            shell.kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // interrupted again: then the program goes on until its shell is won
        }
    }

    private ShellSession connected() {
        ShellSession shell = session;
        if (shell == null) {
            throw new IllegalStateException("exec of \"" + name + "\" has no serial port yet");
        }
        return shell;
    }

    private static long saturated(Duration timeout) {
        return timeout.compareTo(Duration.ofNanos(CENTURY)) > 0 ? CENTURY : timeout.toNanos();
    }

    private ExecException timeout(ExecRequest request, @Nullable ExecResult captured, String more) {
        return new ExecException(
                "exec-timeout",
                request.command() + " in \"" + name + "\" took longer than "
                        + request.timeout().toMillis() + " ms and was killed" + more,
                null,
                captured,
                null);
    }

    private ExecException lost(String what, ShellSession shell) {
        return new ExecException(
                "exec-shell-lost", "the guest's shell in \"" + name + "\" " + what + evidence(shell), null, null, null);
    }

    private static String evidence(ShellSession shell) {
        String noise = shell.noise().strip();
        return noise.isEmpty() ? "; the port is silent" : "; the port's last words:\n" + noise;
    }

    private ExecException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new ExecException(
                "exec-interrupted", "interrupted while running a program in \"" + name + "\"", null, null, e);
    }

    private ExecException over(Throwable e) {
        return new ExecException(
                "exec-closed",
                "the run of \"" + name + "\" ended while a program was to be run: " + ending.get(),
                null,
                null,
                e);
    }

    @Override
    public String stateName() {
        return "exec";
    }

    @Override
    public int stateVersion() {
        return 1;
    }

    /** Writes what the guest's shell may still wait for; after the port that it is on. */
    @Override
    public void save(StateWriter out) {
        out.put("owed", connected().owed());
    }

    /** Makes the next call end what a program of before does, and win the shell that ran it. */
    @Override
    public void restore(StateReader in) {
        in.requireVersion(1);
        connected().restore(in.getInt("owed", 0, ShellScript.PUT_BLOCK));
    }

    /** Ends all calls, now and later, with {@code exec-closed}. */
    @Override
    public void close() {
        inbox.close();
    }
}
