/**
 * The Linux kernel as Java sees it: the only room that makes downcalls or turns addresses into memory.
 *
 * <p>{@link io.javisor.linux.Libc} (not public) owns the Linker. Around it stand owned things with a life: a
 * {@link io.javisor.linux.Descriptor} is one file descriptor, a {@link io.javisor.linux.Mapping} one range of this process's
 * address space; both are closed by whoever opened them, closing twice is fine, and a use after close throws instead of
 * reaching a descriptor or an address that meanwhile belongs to somebody else. {@link io.javisor.linux.HostFile},
 * {@link io.javisor.linux.EventFd}, {@link io.javisor.linux.TimerFd} and {@link io.javisor.linux.Epoll} are descriptors with
 * verbs.
 *
 * <p>Data enters and leaves as {@link java.lang.foreign.MemorySegment}s, whose scopes stay alive for the length of a call. The
 * kernel's refusals become a {@link io.javisor.linux.LinuxException} with the call, its values and the errno's name; methods
 * named {@code try…} return the kernel's own convention instead, a negative errno, for callers to whom EINTR or EAGAIN is an
 * answer. Layouts and constants are those of Linux on x86-64.
 */
@NullMarked
package io.javisor.linux;

import org.jspecify.annotations.NullMarked;
