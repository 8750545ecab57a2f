package io.javisor.kvm;

/**
 * Where a linear address leads by the vCPU's present page tables: struct kvm_translation.
 *
 * @param valid whether it leads anywhere
 * @param physicalAddress guest-physical address, if valid
 * @param writeable as far as KVM tells
 * @param userMode as far as KVM tells
 */
public record Translation(boolean valid, long physicalAddress, boolean writeable, boolean userMode) {}
