/**
 * Integration services, the host's side: small request–answer protocols that the guest's hv_utils driver serves, some of them
 * with the help of a daemon. On every channel the host speaks first: it offers versions, the guest picks one framework and one
 * message version, and from then on the host asks, one question at a time.
 *
 * <pre>
 * pipe header   flags:u32 = 1   bytes that follow:u32
 * IC header     framework version:2×u16  type:u16  message version:2×u16  body bytes:u16
 *               status:u32  transaction:u8  flags:u8  0:u16
 * body
 * </pre>
 *
 * <p>Each service is a {@link io.javisor.vmbus.channel.ChannelDevice}: add it to the bus, and ask it from any thread. Questions
 * answer with a future, which fails with an {@link io.javisor.vmbus.service.IntegrationException} if the guest refuses, does not
 * answer in time, or is not there. What the guest answers is its word only, of bounded length, and checked.
 */
@NullMarked
package io.javisor.vmbus.service;

import org.jspecify.annotations.NullMarked;
