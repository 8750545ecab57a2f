/**
 * The messages of Hyper-V's dynamic memory protocol, versions 0.3, 1.0 and 2.0 (which Linux calls 1, 2 and 3). The guest
 * speaks first. Layouts are those of Linux's drivers/hv/hv_balloon.c; numbers are little-endian.
 *
 * <pre>
 * guest                                              host
 *   VERSION_REQUEST          ───▶
 *                            ◀───    VERSION_RESPONSE        no: the guest tries the next older one
 *   CAPABILITIES_REPORT      ───▶
 *                            ◀───    CAPABILITIES_RESPONSE
 *   STATUS_REPORT            ───▶                            every second from now on
 *                            ◀───    INFO_MESSAGE            from version 1.0 on
 *                            ◀───    BALLOON_REQUEST         give me so many pages
 *   BALLOON_RESPONSE …       ───▶                            these ones, in parts, maybe fewer
 *                            ◀───    UNBALLOON_REQUEST …     here you have these again
 *   UNBALLOON_RESPONSE       ───▶
 *                            ◀───    MEM_HOT_ADD_REQUEST     there is new memory at these addresses
 *   MEM_HOT_ADD_RESPONSE     ───▶                            so much of it was taken
 *
 * every message   type:u16  bytes:u16  transaction:u32
 * page range      first page:40 bits  pages:24 bits
 * </pre>
 *
 * <p>Bytes from the guest enter in {@link io.javisor.memory.protocol.GuestReport#decode}, which checks every length; what it
 * gives is immutable and says nothing yet of whether the pages named are the guest's.
 */
@NullMarked
package io.javisor.memory.protocol;

import org.jspecify.annotations.NullMarked;
