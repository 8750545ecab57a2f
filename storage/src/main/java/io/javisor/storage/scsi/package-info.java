/**
 * A SCSI target, without a transport: commands come in as CDB and memory, results go out as status and sense data. It knows
 * nothing of VMBus or Fibre Channel and needs no thread of its own; whoever has a command brings one.
 *
 * <pre>
 *  initiator port ──nexus──▶ ┐
 *  initiator port ──nexus──▶ ├ LogicalUnit ─▶ Disk
 *  initiator port ──nexus──▶ ┘   reservations, medium
 * </pre>
 *
 * <p>A {@link io.javisor.storage.scsi.LogicalUnit} is shared by all who see the disk; a {@link io.javisor.storage.scsi.Nexus}
 * is one initiator's view of it, with the unit attentions that it has not heard of yet. A
 * {@link io.javisor.storage.scsi.ScsiTarget} is what one initiator finds behind one target port: LUNs, each a nexus, which
 * is where masking happens, by leaving one out.
 *
 * <p>Standards: SPC-4 (primary commands), SBC-3 (disks), MMC-6 (DVDs). Numbers in CDBs and parameter data are big-endian.
 */
@NullMarked
package io.javisor.storage.scsi;

import org.jspecify.annotations.NullMarked;
