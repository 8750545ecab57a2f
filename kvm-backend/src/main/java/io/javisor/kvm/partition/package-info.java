/**
 * One machine on KVM, as the rooms above see it: {@link io.javisor.kvm.partition.KvmPartition} owns the VM's descriptors, a
 * thread for each vCPU and the guest's memory slots; exits enter through {@link io.javisor.kvm.partition.VcpuThread} and leave
 * on the port and MMIO buses, to the SynIC, or as an end of the run. Memory comes as
 * {@link io.javisor.kvm.partition.MemfdBacking}; doorbells and free message slots are told on an
 * {@link io.javisor.kvm.partition.EpollReactor}.
 */
@NullMarked
package io.javisor.kvm.partition;

import org.jspecify.annotations.NullMarked;
