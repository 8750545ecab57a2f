/**
 * The port to a machine's synthetic interrupt controllers (Hypervisor Top-Level Functional Specification, chapter 11): one
 * for each vCPU, with 16 interrupt sources (SINTs), each of which has one message slot and 2,048 event flags in pages that
 * the guest provides.
 *
 * <p>Out of the machine come {@linkplain io.javisor.partition.synic.MessagePort messages that the guest posts} and
 * {@linkplain io.javisor.partition.synic.Doorbell doorbells} that it rings; into it go messages, which wait for their slot,
 * and event flags, which don't. The KVM backend implements {@link io.javisor.partition.synic.SynIc}; the bus uses it.
 */
@NullMarked
package io.javisor.partition.synic;

import org.jspecify.annotations.NullMarked;
