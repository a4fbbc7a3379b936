import { ILab } from './lab';

export function addStatus(lab: ILab): void {
  void lab;
}
