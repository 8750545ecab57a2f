@NullMarked
package io.javisor.devices;

import org.jspecify.annotations.NullMarked;
