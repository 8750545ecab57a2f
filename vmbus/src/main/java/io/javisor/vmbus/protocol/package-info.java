/**
 * The VMBus control messages as values. Both directions can be encoded and decoded, so that the guest side of a test and
 * the host side of the bus read the same words. Decoding is where guest bytes enter: a message is copied by the hypercall,
 * decoded once, every length checked; what comes out is immutable. All numbers are little-endian.
 *
 * <p>Layouts: include/linux/hyperv.h of Linux, "Version 1 messages" and after.
 */
@NullMarked
package io.javisor.vmbus.protocol;

import org.jspecify.annotations.NullMarked;
