@NullMarked
package io.javisor.examples;

import org.jspecify.annotations.NullMarked;
