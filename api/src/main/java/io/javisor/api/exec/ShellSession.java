package io.javisor.api.exec;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Calls to the guest's shell, and the shell's being there at all. For one thread at a time.
 *
 * <p>The guest may be slow, or paused for hours. So silence alone means nothing: a shell counts as lost when it has taken what
 * was sent to it and then said nothing, or has taken nothing for a minute while it was called.
 */
final class ShellSession {
    /** Silence after which a shell that took a call is given up. A nested, emulated guest needs a second for a fork. */
    private static final long QUIET = TimeUnit.SECONDS.toNanos(15);

    /** The same, if it said something else instead: a new shell does not know the call, and complains. */
    private static final long QUIET_AFTER_NOISE = TimeUnit.SECONDS.toNanos(4);

    /** How long a guest may take nothing of what is sent to it: it is paused, or hangs. */
    private static final long STALL = TimeUnit.SECONDS.toNanos(60);

    private static final long SLICE = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long FIRST_ATTEMPT = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_ATTEMPT = TimeUnit.SECONDS.toNanos(8);
    private static final int ATTEMPTS = 3;
    private static final long CENTURY = TimeUnit.DAYS.toNanos(36_500);

    private final GuestLine line;
    private final FrameReader frames;
    private final boolean onSocket;
    private final String identity;
    private boolean established;
    private long sequence;
    /** Bytes that a program in the guest may still take for data. */
    private volatile int owed;

    /** Bytes that the guest may come to take for data, if it is saved now. */
    private volatile int announced;

    /** The guest was restored: it may be running a program for a session before this one. */
    private boolean restored;

    /**
     * A session that has not begun.
     *
     * @param identity names the folders that it leaves in the guest if its shell dies; the next session of that identity clears up
     * @param onSocket whether the line is a socket rather than a serial port
     */
    ShellSession(GuestLine line, FrameReader frames, String identity, boolean onSocket) {
        this.line = line;
        this.frames = frames;
        this.identity = identity;
        this.onSocket = onSocket;
    }

    /** A session over a serial port. */
    ShellSession(GuestLine line, FrameReader frames) {
        this(line, frames, token(), false);
    }

    static String token() {
        byte[] bytes = new byte[6];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** What the guest sent besides answers: prompts, complaints, boot messages. */
    String noise() {
        return frames.noise();
    }

    /** Whether the shell answered last time. */
    boolean established() {
        return established;
    }

    /** The shell has to be won again before the next call. */
    void lose() {
        established = false;
    }

    /** Bytes that a program in the guest may still take for data, at most; from any thread. */
    int owed() {
        return Math.max(owed, announced);
    }

    /** Begins with a guest that still has to do with a session before this one. */
    void restore(int owedThen) {
        owed = owedThen;
        restored = true;
    }

    /** Makes a shell listen, if there is one by then; false if there is none. */
    boolean establish(long deadline) throws InterruptedException {
        long attempt = FIRST_ATTEMPT;
        while (!established) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            // What an earlier attempt left on the line is still to be read: adding to it would help nobody.
            if (line.unread() == 0) {
                String nonce = token();
                frames.expect(nonce);
                push("\n".repeat(owed), deadline);
                owed = 0;
                if (restored) {
                    restored = !push("\njv_k\n", deadline); // no harm if nothing runs
                }
                long end = Math.min(deadline, System.nanoTime() + attempt);
                attempt = Math.min(2 * attempt, LONGEST_ATTEMPT);
                push(onSocket ? ShellScript.bootstrapOnSocket(nonce) : ShellScript.bootstrap(nonce), deadline);
                if (await(0, "h", end) != null) {
                    push(
                            onSocket
                                    ? ShellScript.functionsOnSocket(identity, nonce)
                                    : ShellScript.functions(identity, nonce),
                            deadline);
                    Frame ready = await(0, "rf", Math.max(end, System.nanoTime() + LONGEST_ATTEMPT));
                    if (ready != null && ready.kind() == 'f') {
                        throw new ExecException(
                                "exec-no-room",
                                "the guest's shell found no folder to write to",
                                "mount a tmpfs on /tmp or /run in the guest",
                                null,
                                null);
                    }
                    established = ready != null;
                }
            } else {
                frames.next(Math.min(deadline, System.nanoTime() + SLICE));
            }
        }
        return true;
    }

    private @Nullable Frame await(long number, String kinds, long until) throws InterruptedException {
        Frame frame;
        do {
            frame = frames.next(until);
        } while (frame != null && (frame.sequence() != number || kinds.indexOf(frame.kind()) < 0));
        return frame;
    }

    private boolean push(String text, long deadline) throws InterruptedException {
        return push(text.getBytes(StandardCharsets.US_ASCII), 0, text.length(), deadline);
    }

    /** Sends bytes; false if the guest has taken none of them for long, or the deadline has passed. */
    private boolean push(byte[] bytes, int offset, int length, long deadline) throws InterruptedException {
        long moved = System.nanoTime();
        int sent = 0;
        int unread = 0;
        while (true) {
            long now = System.nanoTime();
            long most = Math.min(deadline - now, SLICE);
            int n = line.send(bytes, offset + sent, length - sent, most);
            sent += n;
            if (sent == length) {
                return true;
            }
            if (n > 0 || line.unread() != unread) {
                unread = line.unread();
                moved = now;
            }
            if (most <= 0 || now - moved >= STALL) {
                return false;
            }
        }
    }

    long nextSequence() {
        return ++sequence;
    }

    /**
     * Waits for an answer, as long as the guest may still give one.
     *
     * @return null if the shell took the call and fell silent, or took none of it for long
     */
    private @Nullable Frame answer(long number, String kinds) throws InterruptedException {
        long since = System.nanoTime();
        boolean noisy = false;
        int unread = line.unread();
        frames.takeNoisy();
        while (true) {
            long now = System.nanoTime();
            int left = line.unread();
            if (left != unread) {
                unread = left;
                since = now;
            }
            noisy |= frames.takeNoisy();
            if (now - since >= (unread > 0 ? STALL : noisy ? QUIET_AFTER_NOISE : QUIET)) {
                return null;
            }
            Frame frame = frames.next(now + SLICE);
            if (frame != null && frame.sequence() == number && kinds.indexOf(frame.kind()) >= 0) {
                return frame;
            }
        }
    }

    /** Bytes of an output that {@link #get} reads at once. */
    int getBlock() {
        return onSocket ? ShellScript.SOCKET_BLOCK : ShellScript.GET_BLOCK;
    }

    /** Whether the shell still answers, before it is given something that must not be given twice. */
    boolean answers() throws InterruptedException {
        long number = nextSequence();
        return call("jv_q " + number) && answer(number, "b") != null;
    }

    /** Has the guest start a shell on a socket to this port of the host; false if it has nothing that could, or is lost. */
    boolean callBack(int port) throws InterruptedException {
        long number = nextSequence();
        boolean told = push(ShellScript.callBack(number, port), System.nanoTime() + CENTURY);
        Frame answer = told ? answer(number, "af") : null;
        if (answer == null) {
            lose();
        }
        return answer != null && answer.kind() == 'a';
    }

    /** Stores bytes in a file of the private folder; false if the shell is lost. */
    boolean put(char file, byte[] bytes) throws InterruptedException {
        int block = onSocket ? ShellScript.SOCKET_BLOCK : ShellScript.PUT_BLOCK;
        for (int at = 0; at < bytes.length; at += block) {
            long number = nextSequence();
            int length = Math.min(block, bytes.length - at);
            announced = length;
            // Data is sent only to a shell that has just said that it takes it as such: another would run it.
            if (!call("jv_p " + number + " " + file + " " + length + (at == 0 ? " 0" : " 1"))
                    || answer(number, "w") == null) {
                announced = 0;
                return false;
            }
            owed = length;
            announced = 0;
            if (!push(bytes, at, length, System.nanoTime() + CENTURY)) {
                return false;
            }
            Frame answer = answer(number, "af");
            if (answer == null) {
                return false;
            }
            owed = 0;
            if (answer.kind() == 'f') {
                throw noRoom();
            }
        }
        return true;
    }

    private boolean call(String line) throws InterruptedException {
        return push(line + "\n", System.nanoTime() + CENTURY);
    }

    private static ExecException noRoom() {
        return new ExecException(
                "exec-no-room",
                "the guest could not store a program's input or output: its folder for it is full, or was removed",
                "give the guest more memory, or mount a larger tmpfs on /tmp",
                null,
                null);
    }

    /** Starts a script; false if the shell did not say that it did. */
    boolean start(long number, String script, boolean withInput) throws InterruptedException {
        String inline = ShellScript.inline(script);
        if (inline == null && !put('c', script.getBytes(StandardCharsets.UTF_8))) {
            return false;
        }
        if (!call("jv_r " + number + (withInput ? " 1 " : " 0 ") + (inline == null ? "-" : inline))) {
            return false;
        }
        Frame answer = answer(number, "suf");
        if (answer != null && answer.kind() == 'f') {
            throw noRoom();
        }
        return answer != null && answer.kind() == 's';
    }

    /** How a wait for a program's end went. */
    enum Wait {
        DONE,
        TIME_UP,
        LOST
    }

    private @Nullable Frame done;

    /** Waits for a program's end, and asks now and then whether the shell still listens. */
    Wait awaitDone(long number, long deadline) throws InterruptedException {
        final long beat = TimeUnit.SECONDS.toNanos(5);
        final long suspicious = TimeUnit.SECONDS.toNanos(2);
        done = null;
        frames.takeNoisy();
        long asked = System.nanoTime();
        int unanswered = 0;
        long question = -1;
        while (true) {
            long now = System.nanoTime();
            if (now - deadline >= 0) {
                return Wait.TIME_UP;
            }
            boolean noisy = frames.takeNoisy();
            if (line.unread() > 0) {
                asked = now;
            } else if (now - asked >= (unanswered > 0 || noisy ? suspicious : beat)) {
                if (unanswered == 3) {
                    return Wait.LOST;
                }
                question = nextSequence();
                unanswered++;
                asked = now;
                push("jv_q " + question + "\n", deadline);
            }
            Frame frame = frames.next(Math.min(deadline, now + SLICE));
            if (frame != null && frame.sequence() == question && frame.kind() == 'b') {
                unanswered = 0;
            } else if (frame != null && frame.sequence() == number && frame.kind() == 'd') {
                done = frame;
                return Wait.DONE;
            }
        }
    }

    /** Tells the guest to kill the program that runs. Never waits long, so that it can be called when all is lost. */
    void kill() throws InterruptedException {
        push("\njv_k\n", System.nanoTime() + TimeUnit.SECONDS.toNanos(1));
    }

    /** What came with the end of a program: null if the bytes that follow it did not come whole. */
    @Nullable
    Ending ending(long number) throws InterruptedException {
        Frame frame = done;
        if (frame == null || frame.numbers().length != 5) {
            return null;
        }
        long[] n = frame.numbers();
        if (n[0] > 255 || n[3] > ShellScript.INLINE || n[4] > ShellScript.INLINE || n[3] > n[1] || n[4] > n[2]) {
            return null;
        }
        byte[] out = block((int) n[3], false, number);
        byte[] err = out == null ? null : block((int) n[4], true, number);
        return out == null || err == null ? null : new Ending((int) n[0], n[1], n[2], out, err);
    }

    /** Reads raw bytes and, if asked, the frame that ends them; null if either does not come. */
    private byte @Nullable [] block(int length, boolean last, long number) throws InterruptedException {
        byte[] bytes = new byte[length];
        int done = 0;
        while (done < length) { // the time-out counts from the last bytes, not the first
            int n = Math.min(1024, length - done);
            if (!frames.data(bytes, done, n, System.nanoTime() + QUIET)) {
                return null;
            }
            done += n;
        }
        if (!last) {
            return bytes;
        }
        frames.takeNoisy();
        Frame end = frames.next(System.nanoTime() + QUIET);
        return end == null || end.sequence() != number || end.kind() != '.' || frames.takeNoisy() ? null : bytes;
    }

    /** Reads a block of an output file; tries again if noise got in between. Null if the shell is lost. */
    byte @Nullable [] get(char file, int block, int length) throws InterruptedException {
        for (int i = 0; i < ATTEMPTS; i++) {
            long number = nextSequence();
            if (!call("\njv_g " + number + " " + file + " " + block) || answer(number, "c") == null) {
                return null;
            }
            byte[] bytes = block(length, true, number);
            if (bytes != null) {
                return bytes;
            }
        }
        return null;
    }

    /** Lets the guest forget the outputs of the last program. */
    void forget() throws InterruptedException {
        call("jv_z");
    }

    /**
     * How a program ended.
     *
     * @param exitCode 0 to 255
     * @param outSize bytes of stdout
     * @param errSize bytes of stderr
     * @param out all of stdout if it is small, else nothing
     * @param err all of stderr if it is small, else nothing
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Ending(int exitCode, long outSize, long errSize, byte[] out, byte[] err) {}
}
