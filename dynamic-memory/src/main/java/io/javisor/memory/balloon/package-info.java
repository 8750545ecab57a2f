/**
 * One guest's balloon: the host's side of the dynamic memory channel, and the books of which pages are whose.
 *
 * <pre>
 *              target                          messages
 *  balancer ──────────▶ DynamicMemoryDevice ◀────────────▶ guest (hv_balloon)
 *                          │        BalloonSession   pure: messages in, calls out
 *                          │        PageLedger       pure: which pages the guest has given up
 *                          ▼
 *                       GrowingMemory   discard, populate, add: on threads that may wait
 * </pre>
 *
 * <p>Data enters from the guest as messages, decoded by {@link io.javisor.memory.protocol.GuestReport}; the session holds them
 * against what was asked, and the ledger against the memory that the guest has. A guest that breaks the protocol loses its
 * channel, keeps the memory that it has, and goes on.
 */
@NullMarked
package io.javisor.memory.balloon;

import org.jspecify.annotations.NullMarked;
