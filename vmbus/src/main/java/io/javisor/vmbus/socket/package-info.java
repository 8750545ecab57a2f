/**
 * Sockets between host and guest (hv_sock; AF_VSOCK in Linux), each a channel of its own on the bus: an offer that says who
 * talks to whom, then packets of a pipe header and at most 16 KiB. A packet without content ends its direction.
 *
 * <pre>
 * guest connects                                host connects
 *   TL_CONNECT_REQUEST ─▶ someone listens?        offer (type = guest's service, user data: from the host)
 *   offer (type = host's service, instance =      guest opens, if someone listens there; else nothing, until the
 *     guest's endpoint)                             host gives up
 *   guest opens
 * </pre>
 *
 * <p>Ports are 32 bits, written into the service GUID {@code <port>-facb-11e6-bd58-64006a7986d3}.
 * {@link io.javisor.vmbus.socket.HvSockets} connects and listens; an {@link io.javisor.vmbus.socket.HvSocket} blocks its
 * callers, which may be virtual threads, and never a reactor: what a reader leaves unread stays with the guest, what a writer
 * has written waits in a bounded buffer for room in the ring.
 */
@NullMarked
package io.javisor.vmbus.socket;

import org.jspecify.annotations.NullMarked;
