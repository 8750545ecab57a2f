/**
 * The synthetic SCSI controller that Hyper-V offers on the VMBus (storvsp, for the guest's storvsc): it takes SCSI requests
 * out of channels, runs them against a {@link io.javisor.storage.scsi.ScsiTarget}, those that may wait on workers, and completes
 * them in whatever order they end.
 *
 * <pre>
 *  channel, reactor                        worker                           worker
 *  packet ─▶ ScsiRequest (copied) ─▶ queue ─▶ ScsiTarget.execute ─▶ packet.complete
 *                    ├ guest pages ─────────────▶ Disk ─▶ preadv/pwritev
 *                    └ waits for nothing: ScsiTarget.tryExecute ─▶ packet.complete
 * </pre>
 *
 * <p>A {@link io.javisor.storage.storvsp.FibreChannelAdapter} speaks the same protocol with names of ports added, and finds its
 * targets at a {@link io.javisor.storage.fibrechannel.FibreChannelSan}.
 *
 * <p>Guest pages go to the disk as they are: a raw disk reads into them and writes from them without a copy. The reactor
 * never waits for a disk. Requests in progress are bounded by what the channels hold.
 */
@NullMarked
package io.javisor.storage.storvsp;

import org.jspecify.annotations.NullMarked;
