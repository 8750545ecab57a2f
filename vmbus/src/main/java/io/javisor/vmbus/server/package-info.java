/**
 * The bus's side of the control messages, as a state machine without threads, clocks or memory of its own: a guest's message
 * or a host's wish goes in, {@linkplain io.javisor.vmbus.server.Action actions} come out in order, and whoever carries them
 * out reports back. It knows who is offered, open, or on the way out, and what memory the guest has lent
 * ({@link io.javisor.vmbus.server.Gpadl}); it never touches a ring.
 *
 * <pre>
 *              INITIATE_CONTACT                      INITIATE_CONTACT, UNLOAD
 * disconnected ─────────────────▶ connected ───────────────────────────▶ disconnecting ─▶ (answer)
 *                                                                        every channel closes first
 *
 *        OPENCHANNEL        opened            CLOSECHANNEL or rescind      closed
 * closed ───────────▶ opening ─────▶ open ──────────────────────────▶ closing ─────▶ closed
 * </pre>
 */
@NullMarked
package io.javisor.vmbus.server;

import org.jspecify.annotations.NullMarked;
