/**
 * Running programs in a guest through nothing but a shell on its second serial port, and faster where the guest has sockets.
 *
 * <p>No agent is installed. Whatever POSIX shell reads the port (busybox, dash, bash; with or without prompt, echo, line
 * editing) is given one line, which makes the port transparent for 8-bit bytes and the shell a loop that evaluates lines; then
 * a few shell functions. From there on it is remote procedure calls: the host types a line, the guest prints a frame
 * ({@link io.javisor.api.exec.Frame}) that carries a nonce, so that echo, prompts and other noise are told apart.
 *
 * <pre>
 * host                                                     guest
 *   bootstrap line (stty raw, read-eval loop)      ───▶
 *                                                  ◀───    hello
 *   functions, one a line                          ───▶
 *                                                  ◀───    ready
 *   put: standard input, if any                    ───▶    spooled in a private folder
 *                                                  ◀───    acknowledged
 *   run: a script that ends in exec                ───▶    setsid sh script &lt;in &gt;out 2&gt;err
 *                                                  ◀───    started … done: exit code, sizes, output if it is small
 *   get: block n of out or err                     ───▶
 *                                                  ◀───    32 KiB of raw bytes
 * </pre>
 *
 * <p>Before the first program, the shell is told to start another one on a socket to the host (hv_sock), by whatever the guest
 * has for that: javisor-agent, perl, socat or python3. If it calls back, the same calls go over the socket, with larger blocks;
 * the shell on the serial port waits. When a socket ends, so do its shell and the program that it runs.
 *
 * <p>Data enters from the guest on vCPU threads, or from a socket on a virtual thread, into a bounded {@link
 * io.javisor.api.exec.Inbox}. The guest is hostile: it can
 * make a call fail or time out and can lie about what it ran, but the host reads no more than it asked for.
 */
@NullMarked
package io.javisor.api.exec;

import org.jspecify.annotations.NullMarked;
