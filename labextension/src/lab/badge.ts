import { ILab } from './lab';

export function addBadge(lab: ILab): void {
  void lab;
}
