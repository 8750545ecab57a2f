package io.javisor.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Tells when a file is written (inotify(7)), by whatever process of this host. One thread waits; any thread may wake it. A user may
 * have {@code /proc/sys/fs/inotify/max_user_instances} of these.
 */
public final class FileWatch implements AutoCloseable {
    private static final MethodHandle INIT = Libc.function("inotify_init1", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle ADD =
            Libc.function("inotify_add_watch", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final int NON_BLOCKING_CLOSE_ON_EXEC = 0x80800;
    private static final int MODIFIED = 2;
    private static final int EVENTS = 4096; // bytes: more than a hundred at a time

    private final Descriptor events;
    private final EventFd wakes = new EventFd();
    private final Epoll epoll = new Epoll(2);
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(EVENTS, 8);

    /** Begins to watch a file that is there. */
    public FileWatch(Path file) {
        CallState state = CallState.current();
        try {
            int fd = (int) Libc.answer(state, (int) INIT.invokeExact(state.segment(), NON_BLOCKING_CLOSE_ON_EXEC));
            if (fd < 0) {
                throw new LinuxException("inotify_init1", "", -fd);
            }
            events = Descriptor.adopt(fd, "inotify " + file);
            int watch = (int) Libc.answer(
                    state, (int) ADD.invokeExact(state.segment(), fd, buffer.copyFrom(text(file)), MODIFIED));
            if (watch < 0) {
                events.close();
                throw new LinuxException("inotify_add_watch", "\"" + file + "\"", -watch);
            }
        } catch (Throwable t) {
            release();
            throw Libc.rethrow(t);
        }
        epoll.add(events, Epoll.READABLE, 0);
        epoll.add(wakes.descriptor(), Epoll.READABLE, 1);
    }

    private static MemorySegment text(Path file) {
        byte[] bytes = (file.toAbsolutePath() + "\0").getBytes(java.nio.charset.StandardCharsets.UTF_8);
        if (bytes.length > EVENTS) {
            throw new LinuxException("inotify_add_watch", bytes.length + " bytes of a path", Errno.EINVAL);
        }
        return MemorySegment.ofArray(bytes);
    }

    /** Waits until the file has been written since the last time, or somebody calls {@link #wake}; at most so long. */
    public void await(Duration most) {
        epoll.await((int) Math.min(Integer.MAX_VALUE, most.toMillis()));
        wakes.drain();
        while (events.tryRead(buffer) > 0) {
            // that there were some is all that they say
        }
    }

    /** Ends a wait. */
    public void wake() {
        wakes.signal();
    }

    private void release() {
        epoll.close();
        wakes.close();
        arena.close();
    }

    /** Closes it, when nobody waits any more. */
    @Override
    public void close() {
        events.close();
        release();
    }
}
